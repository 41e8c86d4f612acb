import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { Fence } from "../prompt/fence.ts";
import { textPart } from "../prompt/messages.ts";
import type { Form } from "./form.ts";

/** Says the form at the end of what is asked, for models whose provider cannot hold them to it. What comes before stays as it is. */
export function withForm(messages: LanguageModelV4Prompt, form: Form | undefined, instead = ""): LanguageModelV4Prompt {
  const last = messages.at(-1);
  if (form === undefined || last?.role !== "user") return messages;
  const said = `Reply with one JSON value of this JSON Schema, and with nothing else: no prose before or after it, no code fence.${instead}\n${JSON.stringify(form.responseFormat.schema)}`;
  const part = last.content.at(-1);
  const content = part?.type === "text" ? [...last.content.slice(0, -1), textPart(`${part.text}\n\n${said}`)] : [...last.content, textPart(said)];
  return [...messages.slice(0, -1), { ...last, content }];
}

/** What was asked before, what was written, and why that does not have the form. */
export function askedForForm(messages: LanguageModelV4Prompt, text: string, issues: readonly string[], fence: Fence): LanguageModelV4Prompt {
  return [
    ...messages,
    { role: "assistant", content: [textPart(text)] },
    {
      role: "user",
      content: [
        textPart(
          `This is not of the form that was asked for. What is wrong with it, as data:\n${fence("issues", issues.join("\n"))}\n\nWrite it again, whole, with that put right. Reply with the JSON value alone.`,
        ),
      ],
    },
  ];
}
