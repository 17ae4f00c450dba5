import { expect } from "chai";
import { createFollower, type BlockRef, type ChainLog } from "../../../services/platform/follow.ts";
import { createLiveMarket, type LiveMarket } from "../support/live-market.ts";

describe("following a chain", function () {
  this.timeout(60_000);
  let market: LiveMarket;
  before(async () => {
    market = await createLiveMarket({ homes: 2 });
  });
  after(() => market.close());

  it("gives the same logs in short steps as in one", async () => {
    const { meteringPoints, tariffs, ledger } = market.addresses;
    const source = { provider: market.provider, addresses: [meteringPoints, tariffs, ledger] };
    const whole = await createFollower(source).after(undefined);
    expect(whole.more).to.equal(false);
    expect(whole.logs).to.have.length.above(4);

    const follower = createFollower({ ...source, maxBlocks: 3 });
    const logs: ChainLog[] = [];
    let at: BlockRef | undefined;
    for (let more = true; more;) {
      const step = await follower.after(at);
      expect(step.logs.every(({ blockNumber }) => Number(blockNumber) <= step.head.number)).to.equal(true);
      logs.push(...step.logs);
      at = step.head;
      more = step.more;
    }
    expect(logs).to.deep.equal(whole.logs);
    expect(at).to.deep.equal(whole.head);
    expect(await follower.after(at)).to.deep.include({ logs: [], more: false, reorganised: false });
  });
});
