import type { Result } from "ethers";

/** The ledger's events in the ABI; see events.ts. */
export const LEDGER_EVENTS = [
  "event Deposited(uint32 indexed account,address indexed from,uint256 amount)",
  "event WithdrawalRequested(uint32 indexed account,uint256 amount,uint32 slot)",
  "event Withdrawn(uint32 indexed account,address indexed to,uint256 amount)",
  "event Moved(uint32 firstPoint,int128[] deltasNano,int128 backup,int128 operatorFees,int128 members,int128 congestion,tuple(address clearer,uint128 nano)[] earnings)",
  "event TransferredBetween(address indexed module,uint32[] accounts,int128[] deltasNano)",
  "event EarnedWithdrawn(address indexed clearer,uint256 amount)",
  "event CreditSet(uint32 indexed point,uint256 creditNano)",
  "event Suspended(uint32 indexed point,uint256 shortNano,uint32 slot)",
  "event Covered(uint32 indexed point,uint256 fromFundNano,uint256 fromCreditNano)",
  "event Repaid(uint32 indexed point,uint256 toBackupNano,uint256 toFundNano)",
  "event Reinstated(uint32 indexed point)",
];

export type LedgerEvent =
  | { name: "Deposited"; account: number; amount: bigint; from: string }
  | { name: "WithdrawalRequested"; account: number; amount: bigint; slot: number }
  | { name: "Withdrawn"; account: number; amount: bigint }
  | {
      name: "Moved";
      firstPoint: number;
      deltasNano: bigint[];
      backup: bigint;
      operatorFees: bigint;
      members: bigint;
      congestion: bigint;
      earnings: { clearer: string; nano: bigint }[];
    }
  /** A module of the ledger moved money between accounts; one may occur more than once. */
  | { name: "TransferredBetween"; module: string; accounts: number[]; deltasNano: bigint[] }
  /** Undrawn credit from now on. */
  | { name: "CreditSet"; point: number; creditNano: bigint }
  | { name: "Suspended"; point: number; shortNano: bigint; slot: number }
  | { name: "Covered"; point: number; fromFundNano: bigint; fromCreditNano: bigint }
  | { name: "Repaid"; point: number; toBackupNano: bigint; toFundNano: bigint }
  | { name: "Reinstated"; point: number }
  | { name: "EarnedWithdrawn"; clearer: string; amount: bigint };

/** One of the ledger's events as a plain object; undefined for any other. */
export const ledgerBodyOf = (name: string, args: Result): LedgerEvent | undefined => {
  const num = (key: string): number => Number(args[key] as bigint);
  const big = (key: string): bigint => args[key] as bigint;
  const text = (key: string): string => args[key] as string;
  switch (name) {
    case "Deposited":
      return { name, account: num("account"), amount: big("amount"), from: text("from") };
    case "Withdrawn":
      return { name, account: num("account"), amount: big("amount") };
    case "WithdrawalRequested":
      return { name, account: num("account"), amount: big("amount"), slot: num("slot") };
    case "TransferredBetween":
      return {
        name,
        module: text("module"),
        accounts: [...(args["accounts"] as bigint[])].map(Number),
        deltasNano: [...(args["deltasNano"] as bigint[])],
      };
    case "Moved":
      return {
        name,
        firstPoint: num("firstPoint"),
        deltasNano: [...(args["deltasNano"] as bigint[])],
        backup: big("backup"),
        operatorFees: big("operatorFees"),
        members: big("members"),
        congestion: big("congestion"),
        earnings: [...(args["earnings"] as Result[])].map((earning) => ({
          clearer: earning["clearer"] as string,
          nano: earning["nano"] as bigint,
        })),
      };
    case "EarnedWithdrawn":
      return { name, clearer: text("clearer"), amount: big("amount") };
    case "CreditSet":
      return { name, point: num("point"), creditNano: big("creditNano") };
    case "Suspended":
      return { name, point: num("point"), shortNano: big("shortNano"), slot: num("slot") };
    case "Covered":
      return { name, point: num("point"), fromFundNano: big("fromFundNano"), fromCreditNano: big("fromCreditNano") };
    case "Repaid":
      return { name, point: num("point"), toBackupNano: big("toBackupNano"), toFundNano: big("toFundNano") };
    case "Reinstated":
      return { name, point: num("point") };
    default:
      return undefined;
  }
};
