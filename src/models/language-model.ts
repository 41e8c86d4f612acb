import type { LanguageModelV4 } from "@ai-sdk/provider";
import { DivvyError } from "../errors.ts";
import { isRecord } from "../json.ts";

export function isLanguageModelV4(value: unknown): value is LanguageModelV4 {
  return (
    isRecord(value) &&
    value["specificationVersion"] === "v4" &&
    typeof value["provider"] === "string" &&
    typeof value["modelId"] === "string" &&
    typeof value["doStream"] === "function"
  );
}

/** Says of a value that is no `LanguageModelV4` what it is, and how to make it one. */
export function unsupportedModel(value: unknown): DivvyError {
  const version = isRecord(value) ? value["specificationVersion"] : undefined;
  if (version === "v2" || version === "v3") {
    const sdk = version === "v2" ? "AI SDK 5" : "AI SDK 6";
    return new DivvyError("unsupported_model", `This model speaks the ${version} interface (${sdk}); Divvy speaks v4 (AI SDK 7).`, {
      hint: 'Upgrade the provider package to its AI SDK 7 version, or wrap the model: wrapLanguageModel({ model, middleware: [] }) from "ai" 7 makes it v4.',
    });
  }
  if (typeof version === "string") {
    return new DivvyError("unsupported_model", `This model speaks the interface "${version.slice(0, 20)}"; Divvy speaks v4 (AI SDK 7).`);
  }
  return new DivvyError("unsupported_model", "What was given as a model is neither a name nor a model.", {
    hint: 'Give "provider:model", a LanguageModelV4 (AI SDK 7), or { model, id?, price?, baseURL? }.',
  });
}

type Callable = (...args: readonly unknown[]) => unknown;

function isCallable(value: unknown): value is Callable {
  return typeof value === "function";
}

/** The model of a provider package: found, made and checked, since what is installed may be of any version. */
export function modelFrom(
  exported: Readonly<Record<string, unknown>>,
  from: { readonly package: string; readonly create: readonly string[] },
  settings: Readonly<Record<string, unknown>>,
  modelId: string,
): LanguageModelV4 {
  const model = madeBy(["languageModel"], exported, from, settings, modelId);
  if (isLanguageModelV4(model)) return model;
  const version = isRecord(model) && typeof model["specificationVersion"] === "string" ? ` (it gives ${model["specificationVersion"]})` : "";
  throw new DivvyError("unsupported_model", `The installed version of ${from.package} gives no LanguageModelV4${version}.`, {
    hint: `Install its AI SDK 7 version: npm install ${from.package}@latest`,
  });
}

/** What the first of these methods that a package's provider has makes of a model's name; nothing where it has none. */
export function madeBy(
  methods: readonly string[],
  exported: Readonly<Record<string, unknown>>,
  from: { readonly package: string; readonly create: readonly string[] },
  settings: Readonly<Record<string, unknown>>,
  modelId: string,
): unknown {
  try {
    const provider = from.create.map((name) => exported[name]).find(isCallable)?.(settings);
    // Providers are functions with methods.
    if (typeof provider !== "function" && !isRecord(provider)) return undefined;
    const makes = methods.map((method): unknown => Reflect.get(provider, method)).find(isCallable);
    return makes?.call(provider, modelId);
  } catch (error) {
    // A provider that has no such models says so.
    if (error instanceof Error && error.name === "AI_NoSuchModelError") return undefined;
    // Its message is not repeated, nor the error kept: it may quote the settings, and the key is one of them.
    const kind = error instanceof Error ? error.name : "Error";
    throw new DivvyError("invalid_option", `${from.package} does not accept the settings of "${modelId}" (${kind}).`, {
      hint: "Check the environment variables and options of this provider.",
    });
  }
}
