import type { PlanFormat } from "./format-plan.ts";
import { jsonPlanReader } from "./json-reader.ts";
import type { PlanReader } from "./reader.ts";
import { xmlPlanReader } from "./xml-reader.ts";

export function newReader(format: PlanFormat): PlanReader {
  return format === "xml" ? xmlPlanReader() : jsonPlanReader();
}
