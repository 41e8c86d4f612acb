/**
 * Prompts in the words of a model of 135 million parameters, for greedy decoding (temperature 0) under the plan's grammar. It
 * follows one example far better than any rule, and copies what the example says; so the example has the shape of what is
 * wanted and a subject of its own. Without the example, the same model under the same grammar writes nonsense.
 */

/** Template of the plan: `{task}`, `{context}`. */
const orchestrator: string = `You divide a task into 2 or 3 different subtasks. Each subtask is one clear instruction for one writer. Each subtask names the topic of the task.

Here is an example.

Task: Write a text about a new coffee shop
audience: students
features: cheap, open late

<analysis>Students want clear facts and a warm tone, so two different texts are useful.</analysis>
<tasks combine="keep">
<task><type>factual</type><description>Write a clear text about the new coffee shop that names its features for students.</description></task>
<task><type>friendly</type><description>Write a warm text about the new coffee shop that tells students why they will like it.</description></task>
</tasks>

Now do the same for this task.

Task: {task}
{context}`;

/**
 * Template of a subtask: `{task}`, `{context}`, `{task_type}`, `{task_description}`. "One short paragraph" keeps most replies
 * below their cap; a label that names the type would be continued as a list of further parts.
 */
const worker: string = `You write short, clear texts in plain English. You write only what is asked and you use the facts you are given.

Task: {task}

Facts:
{context}

Your part: {task_description}

Write only your part, in one short {task_type} paragraph.`;

export const tinyPrompts: { readonly orchestrator: string; readonly worker: string } = { orchestrator, worker };
