import type { JSONSchema7 } from "@ai-sdk/provider";

/** The plan as structured output: what `jsonPlanReader` reads. `answer` is offered only where a direct answer is allowed. */
export function planJsonSchema(direct: boolean): JSONSchema7 {
  const text = { type: "string" } as const;
  return {
    type: "object",
    properties: {
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
    required: direct ? ["analysis", "answer", "combine", "subtasks"] : ["analysis", "combine", "subtasks"],
    additionalProperties: false,
  };
}
