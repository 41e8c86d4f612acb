import type { CallContext, CallSettings } from "../calls/call.ts";
import { namedBudget } from "../calls/thinking.ts";
import { DivvyError } from "../errors.ts";
import { defaults } from "../limits.ts";
import { isLanguageModelV4 } from "../models/language-model.ts";
import { statedPrice } from "../models/prices.ts";
import type { Timeout } from "../options.ts";
import type { ModelChoice, RoleOption, RoleSettings } from "../role-options.ts";

/** Who joins is whom the request was given to, unless another is named: not a provider of whom nothing was said. */
export function withModelOf<Input>({ model, id, price, baseURL, apiKey }: RoleSettings<never>, settings: RoleSettings<Input>): RoleSettings<Input> {
  if (settings.model !== undefined || model === undefined) return settings;
  return {
    model,
    ...(id !== undefined && { id }),
    ...(price && { price }),
    ...(baseURL !== undefined && { baseURL }),
    ...(apiKey !== undefined && { apiKey }),
    ...settings,
  };
}

/** What a kind leaves out is as in `worker`; but what was said of the worker's model holds for no other, least of all its key. */
export function kindSettings<Input>(kind: RoleSettings<Input>, worker: RoleSettings<Input>, workerChoice: ModelChoice | undefined): RoleSettings<Input> {
  if (kind.model === undefined || kind.model === workerChoice) return { ...worker, ...kind };
  const { id: _id, price: _price, baseURL: _baseURL, apiKey: _apiKey, ...rest } = worker;
  return { ...rest, ...kind };
}

/** A role's option as settings, without the keys that say nothing. */
export function roleSettings<Input>(option: RoleOption<Input> | undefined): RoleSettings<Input> {
  if (option === undefined) return {};
  if (typeof option === "string" || isLanguageModelV4(option)) return { model: option };
  return Object.fromEntries(Object.entries(option).filter(([, value]) => value !== undefined));
}

export function callSettings({ maxOutputTokens: named, temperature, reasoning, providerOptions }: RoleSettings<never>, cap: number): CallSettings {
  const maxOutputTokens = named ?? cap;
  const thinking = namedBudget({ providerOptions }) ?? 0;
  if (thinking >= maxOutputTokens) {
    throw new DivvyError(
      "invalid_option",
      `A budget of ${thinking} tokens for thinking leaves no room for a reply: its cap, thinking included, is ${maxOutputTokens}.`,
      {
        hint: "Raise the role's `maxOutputTokens`, or lower `budgetTokens` in its `providerOptions`.",
      },
    );
  }
  return {
    maxOutputTokens,
    ...(temperature !== undefined && { temperature }),
    ...(reasoning !== undefined && { reasoning }),
    ...(providerOptions !== undefined && { providerOptions }),
  };
}

export function rulesOf({ allowLength, price }: RoleSettings<never>, totalMs: number, timeout: Timeout | undefined): CallContext["rules"] {
  return {
    totalMs,
    idleMs: timeout?.idleMs ?? defaults.timeout.idleMs,
    allowLength: allowLength ?? false,
    allowEmpty: false,
    ...(price && { price: statedPrice(price) }),
  };
}
