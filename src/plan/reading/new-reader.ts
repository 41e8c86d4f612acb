import type { PlanFormat } from "../format-plan.ts";
import { jsonPlanReader } from "./json-reader.ts";
import type { PlanReader } from "./reader.ts";
import { xmlPlanReader } from "./xml-reader.ts";

/** @param mark what only the planner's own plan carries, where there has to be something */
export function newReader(format: PlanFormat, mark?: string): PlanReader {
  return format === "xml" ? xmlPlanReader(mark) : jsonPlanReader(mark);
}
