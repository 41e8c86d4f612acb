import { fork } from "node:child_process";
import { once } from "node:events";

/** Carries a job out in a fresh process of this folder: tells it, and waits for its one answer and for its end. */
export async function answerOf<Answer>(file: string, job: object, execArgv: readonly string[] = []): Promise<Answer> {
  const child = fork(new URL(file, import.meta.url), { stdio: "inherit", execArgv: [...execArgv] });
  const exit = once(child, "exit");
  child.send(job);
  const [answer] = await Promise.race([
    once(child, "message"),
    exit.then(() => {
      throw new Error(`${file} ended without an answer to ${JSON.stringify(job)}.`);
    }),
  ]);
  // It may write on its way out, and the next process wants the cores to itself.
  await exit;
  return answer;
}
