/** The queries stand in protocol, because the api reads the same store and processes never import each other. */
export * from "../protocol/market-store.ts";
