import type * as Prices from "@pydantic/genai-prices";
import type { PriceOf, SpentUsage } from "../usage.ts";
import { providers } from "./catalog.ts";
import type { Price } from "./model.ts";

/** What the price list is asked for. */
export interface Listing {
  /** A provider's name in our catalog. */
  readonly provider: string;
  readonly model: string;
  /** Tells the provider where its name does not: who listens at a compatible endpoint. */
  readonly baseUrl?: string;
}

interface Counts {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

export const free: PriceOf = () => 0;
export const unpriced: PriceOf = () => undefined;

/** A user's own price, which was checked with the options. */
export function statedPrice({ input, output, cacheRead = input, cacheWrite = input }: Price): PriceOf {
  return (usage) => {
    const counts = countsOf(usage);
    if (!counts) return undefined;
    const plain = counts.input - counts.cacheRead - counts.cacheWrite;
    return (plain * input + counts.cacheRead * cacheRead + counts.cacheWrite * cacheWrite + counts.output * output) / 1e6;
  };
}

/** The price from the list that ships with the package; loading it takes some 26 ms. */
export async function listedPrice(listing: Listing): Promise<PriceOf> {
  const { calcPrice, provider, model } = await inList(listing);
  if (!provider) return unpriced;
  return (usage) => {
    const counts = countsOf(usage);
    if (!counts) return undefined;
    try {
      const tokens = {
        input_tokens: counts.input,
        output_tokens: counts.output,
        cache_read_tokens: counts.cacheRead,
        cache_write_tokens: counts.cacheWrite,
      };
      return calcPrice(tokens, model, { provider })?.total_price;
    } catch {
      // The list throws where its own data is inconsistent; a run must not fail for want of a price.
      return undefined;
    }
  };
}

/** Tokens of the model's window, prompt and reply together, as the same list has it; nothing where it does not say. */
export async function listedContextTokens(listing: Listing): Promise<number | undefined> {
  const { calcPrice, provider, model } = await inList(listing);
  if (!provider) return undefined;
  try {
    return calcPrice({ input_tokens: 1 }, model, { provider })?.model.context_window;
  } catch {
    return undefined;
  }
}

async function inList(
  listing: Listing,
): Promise<Pick<typeof Prices, "calcPrice"> & { readonly provider: Prices.Provider | undefined; readonly model: string }> {
  const { calcPrice, findProvider } = await import("@pydantic/genai-prices");
  const { providerId, model } = listedAs(listing);
  const provider = providerId ? findProvider({ providerId }) : listing.baseUrl ? findProvider({ providerApiUrl: listing.baseUrl }) : undefined;
  return { calcPrice, provider, model };
}

/** The gateway charges what the model's maker charges, and names its models `maker/model`. */
function listedAs({ provider, model }: Listing): { readonly providerId: string | undefined; readonly model: string } {
  const slash = model.indexOf("/");
  if (provider === "gateway" && slash > 0) {
    return { providerId: providers.get(model.slice(0, slash))?.prices, model: model.slice(slash + 1) };
  }
  return { providerId: providers.get(provider)?.prices, model };
}

/** Input tokens include the cached ones; providers have been seen to report more cached tokens than input. */
function countsOf(usage: SpentUsage): Counts | undefined {
  const { inputTokens, outputTokens, inputTokenDetails } = usage;
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  const cacheRead = counted(inputTokenDetails.cacheReadTokens);
  const cacheWrite = counted(inputTokenDetails.cacheWriteTokens);
  return { input: Math.max(counted(inputTokens), cacheRead + cacheWrite), output: counted(outputTokens), cacheRead, cacheWrite };
}

function counted(tokens: number | undefined): number {
  return tokens !== undefined && Number.isFinite(tokens) && tokens > 0 ? tokens : 0;
}
