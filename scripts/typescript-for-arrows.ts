/** dependency-cruiser reads TypeScript through the compiler's JavaScript API, which the native compiler does not have: it gets the last one that does. */
import { registerHooks } from "node:module";

registerHooks({
  resolve: (specifier, context, next) => next(specifier.replace(/^typescript(?=$|\/)/, "typescript-5"), context),
});
