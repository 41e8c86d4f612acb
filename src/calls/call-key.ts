import { hash } from "node:crypto";
import canonicalize from "canonicalize";
import type { ModelTable } from "../models/model.ts";
import type { CallRequest } from "./call.ts";

/** The name under which a call is recorded. */
export type CallKey = (request: CallRequest) => string;

/** Raised when the fields below change: recorded calls of older versions are then no longer found. */
const version = 1;

/**
 * sha256 over the canonical JSON (RFC 8785) of the fields that decide an answer, the model's address included; never headers
 * or credentials. Fields are named one by one, so that a new one enters on purpose.
 */
export function callKey(models: ModelTable): CallKey {
  return ({ model, messages, settings, tools, responseFormat, sample }) => {
    const { baseUrl } = models(model);
    const { maxOutputTokens, temperature, reasoning, providerOptions } = settings;
    const fields = { version, baseUrl, model, messages, maxOutputTokens, temperature, reasoning, providerOptions, tools, responseFormat, sample };
    return hash("sha256", canonicalize(fields) ?? "", "hex");
  };
}
