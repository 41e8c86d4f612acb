/**
 * The plan's form as a GBNF grammar. A model of a hundred million parameters writes no usable plan of its own accord; held by
 * a grammar it cannot do otherwise. Texts are one line, bounded and without `<` or `&`, so that the plan reads back as written.
 */
export interface PlanGrammarOptions {
  /** Between 2 and this many subtasks. @default 3 */
  readonly maxSubtasks?: number;
  /**
   * Plain English letters, and descriptions that begin with a verb of ours: it keeps a tiny model, which would rather carry
   * out a task than describe it, to giving instructions. @default true
   */
  readonly imperative?: boolean;
}

/** What a description may begin with. */
const verbs = ["Write", "Describe", "Explain", "List", "Compare", "Give", "Suggest", "Plan"];

export function planGrammar({ maxSubtasks = 3, imperative = true }: PlanGrammarOptions = {}): string {
  const others = Math.max(maxSubtasks, 2) - 2;
  const description = imperative ? `(${verbs.map(quoted).join(" | ")}) " " plain{30,160}` : `start plain{20,400}`;
  return [
    `root ::= "<analysis>" start plain{20,${imperative ? 140 : 300}} "." "</analysis>\\n<tasks combine=\\"keep\\">\\n" task task ${others > 0 ? `task{0,${others}} ` : ""}"</tasks>"`,
    `task ::= "<task><type>" slug "</type><description>" description "." "</description></task>\\n"`,
    `slug ::= [a-z]{3,14} ("-" [a-z]{2,14})?`,
    `description ::= ${description}`,
    // A full stop ends the text: the model's own ends it where it would, the bound where it would not.
    imperative ? `start ::= [A-Z]` : `start ::= [^<>&. \\t\\r\\n]`,
    imperative ? `plain ::= [a-zA-Z0-9 ,;:'()-]` : `plain ::= [^<>&.\\t\\r\\n]`,
  ].join("\n");
}

function quoted(word: string): string {
  return `"${word}"`;
}
