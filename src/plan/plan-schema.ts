import type { JSONSchema7 } from "@ai-sdk/provider";

/** The plan as structured output: what `jsonPlanReader` reads, given the same mark. `answer` is offered only where a direct answer is allowed. */
export function planJsonSchema(direct: boolean, mark?: string): JSONSchema7 {
  const text = { type: "string" } as const;
  const required = direct ? ["analysis", "answer", "combine", "subtasks"] : ["analysis", "combine", "subtasks"];
  return {
    type: "object",
    properties: {
      ...(mark !== undefined && { mark: { ...text, enum: [mark] } }),
      analysis: text,
      ...(direct && { answer: { ...text, description: "The whole reply, where the request needs no division: then no subtasks. Otherwise empty." } }),
      combine: { type: "string", enum: ["merge", "keep", "choose"] },
      subtasks: {
        type: "array",
        items: {
          type: "object",
          properties: {
            id: text,
            type: text,
            description: text,
            after: { type: "array", items: text, description: "Ids of the subtasks whose results this one needs." },
          },
          required: ["id", "type", "description", "after"],
          additionalProperties: false,
        },
      },
    },
    required: mark === undefined ? required : ["mark", ...required],
    additionalProperties: false,
  };
}
