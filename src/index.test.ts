import { expectTypeOf, test } from "vitest";
import type {
  Admission,
  Allowance,
  Budget,
  CallRef,
  Claim,
  FunctionSettings,
  Governor,
  KindOfWorker,
  OrchestratorOptions,
  OrchestratorPromptInput,
  Permit,
  Run,
  World,
} from "./index.ts";

/** Checked by the compiler: `npm run types`. */

test("types that a program has to say can be named", () => {
  expectTypeOf<Budget>().toEqualTypeOf<NonNullable<OrchestratorOptions["budget"]>>();
  expectTypeOf<Allowance>().toEqualTypeOf<NonNullable<World["allowance"]>>();
  expectTypeOf<Governor["admit"]>().toEqualTypeOf<(admission: Admission) => Promise<Permit>>();
  expectTypeOf<Claim>().toEqualTypeOf<NonNullable<Admission["claim"]>>();
  expectTypeOf<KindOfWorker>().toEqualTypeOf<OrchestratorPromptInput["kinds"][number]>();
  expectTypeOf<CallRef["role"]>().toBeString();
  expectTypeOf<FunctionSettings["idempotent"]>().toEqualTypeOf<boolean | undefined>();
});

test("a run's members are its own, and take nothing from a class", () => {
  expectTypeOf<keyof Run>().toEqualTypeOf<"runId" | "events" | "textStream" | "outcome" | "abort">();
});
