import { expect } from "chai";
import { judge } from "../../scripts/coverage/judge.ts";
import { merge, parseLcov } from "../../scripts/coverage/lcov.ts";

const LCOV =
  "TN:\nSF:contracts/A.sol\nDA:2,1\nDA:3,0\nLH:1\nLF:2\nend_of_record\nSF:contracts/B.sol\nDA:1,0\nend_of_record\n";
const texts: Record<string, string[]> = {
  "contracts/A.sol": ["// a", "x = 1;", "    revert Never();"],
  "contracts/B.sol": ["y = 2;"],
};
const linesOf = (path: string): string[] => texts[path] as string[];
const never = { path: "contracts/A.sol", text: "revert Never();", reason: "nothing gets here" };

describe("coverage of the contracts", () => {
  it("names every line that did not run, with its text", () => {
    const { files, uncovered } = judge(parseLcov(LCOV), [], linesOf);
    expect(files).to.deep.equal([
      { path: "contracts/A.sol", lines: 2, covered: 1 },
      { path: "contracts/B.sol", lines: 1, covered: 0 },
    ]);
    expect(uncovered).to.deep.equal([
      { path: "contracts/A.sol", line: 3, text: "revert Never();" },
      { path: "contracts/B.sol", line: 1, text: "y = 2;" },
    ]);
  });

  it("counts a line that ran in one of several measurements", () => {
    const other = parseLcov("SF:contracts/B.sol\nDA:1,4\nend_of_record\n");
    expect(judge(merge([parseLcov(LCOV), other]), [never], linesOf).uncovered).to.deep.equal([]);
    expect(judge(merge([other, parseLcov(LCOV)]), [never], linesOf).uncovered).to.deep.equal([]);
  });

  it("takes exceptions only as long as they are needed", () => {
    expect(judge(parseLcov(LCOV), [never], linesOf)).to.deep.include({
      uncovered: [{ path: "contracts/B.sol", line: 1, text: "y = 2;" }],
      needless: [],
    });
    const ran = parseLcov("SF:contracts/A.sol\nDA:3,1\nend_of_record\n");
    expect(judge(ran, [never], linesOf).needless).to.have.length(1);
    expect(judge(parseLcov(LCOV), [{ ...never, text: "gone();" }], linesOf).needless).to.have.length(1);
  });

  it("refuses what is not lcov", () => {
    expect(() => parseLcov("DA:1,1\n")).to.throw("not lcov: DA:1,1");
    expect(() => parseLcov("SF:a\nDA:one,1\n")).to.throw("not lcov");
  });
});
