/** The local chain: Hardhat's in-memory EVM behind JSON-RPC on loopback. A child of `daeg up` / `daeg day`. */
import { parseArgs } from "node:util";
import { network } from "hardhat";

const { values } = parseArgs({
  options: { port: { type: "string" }, start: { type: "string" }, network: { type: "string" } },
});

const server = await network.createServer(
  {
    // A network of hardhat.config.ts.
    ...(values.network === undefined ? {} : { network: values.network }),
    override: {
      // The chain begins before the first slot; from then on the parent sets every block's time.
      initialDate: new Date(Number(values.start) * 1000),
      allowBlocksWithSameTimestamp: true,
      blockGasLimit: 60_000_000n,
      accounts: [],
      loggingEnabled: false,
    },
  },
  "127.0.0.1",
  Number(values.port),
);
const { address, port } = await server.listen();

process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(0));
process.on("message", (message: { type: string }) => {
  if (message.type === "stop") process.exit(0);
});
process.send?.({ type: "ready", info: { url: `http://${address}:${port}` } });
