import { defineModel, type Model } from "./points.ts";

/**
 * The SunSpec models DAEG uses, as data: names, types and order of the points as in the SunSpec Alliance's information
 * models (Apache-2.0), offsets derived. Repeating groups at the end of model 802 are left out.
 */

export const common = defineModel(
  1,
  "common",
  "Mn:string*16 Md:string*16 Opt:string*8 Vr:string*8 SN:string*16 DA:uint16 Pad:pad",
);

const phases = (name: string, type: string, scale: string, suffixes: string): string =>
  suffixes
    .split(",")
    .map((suffix) => `${name}${suffix}:${type}@${scale}`)
    .join(" ");

const total = ",PhA,PhB,PhC";
const power = ",phA,phB,phC";

export const meter = defineModel(
  203,
  "three-phase wye meter",
  [
    "A:int16@A_SF AphA:int16@A_SF AphB:int16@A_SF AphC:int16@A_SF A_SF:sunssf",
    phases("PhV", "int16", "V_SF", power),
    "PPV:int16@V_SF",
    phases("PhVph", "int16", "V_SF", "AB,BC,CA"),
    "V_SF:sunssf Hz:int16@Hz_SF Hz_SF:sunssf",
    ...["W", "VA", "VAR", "PF"].map((name) => `${phases(name, "int16", `${name}_SF`, power)} ${name}_SF:sunssf`),
    `${phases("TotWhExp", "acc32", "TotWh_SF", total)} ${phases("TotWhImp", "acc32", "TotWh_SF", total)} TotWh_SF:sunssf`,
    `${phases("TotVAhExp", "acc32", "TotVAh_SF", total)} ${phases("TotVAhImp", "acc32", "TotVAh_SF", total)} TotVAh_SF:sunssf`,
    ...["ImpQ1", "ImpQ2", "ExpQ3", "ExpQ4"].map((quadrant) =>
      phases(`TotVArh${quadrant}`, "acc32", "TotVArh_SF", total),
    ),
    "TotVArh_SF:sunssf Evt:bitfield32",
  ].join(" "),
);

export const inverter = defineModel(
  103,
  "three-phase inverter",
  [
    "A:uint16@A_SF AphA:uint16@A_SF AphB:uint16@A_SF AphC:uint16@A_SF A_SF:sunssf",
    phases("PPVph", "uint16", "V_SF", "AB,BC,CA"),
    phases("PhVph", "uint16", "V_SF", "A,B,C"),
    "V_SF:sunssf W:int16@W_SF W_SF:sunssf Hz:uint16@Hz_SF Hz_SF:sunssf VA:int16@VA_SF VA_SF:sunssf",
    "VAr:int16@VAr_SF VAr_SF:sunssf PF:int16@PF_SF PF_SF:sunssf WH:acc32@WH_SF WH_SF:sunssf",
    "DCA:uint16@DCA_SF DCA_SF:sunssf DCV:uint16@DCV_SF DCV_SF:sunssf DCW:int16@DCW_SF DCW_SF:sunssf",
    phases("Tmp", "int16", "Tmp_SF", "Cab,Snk,Trns,Ot"),
    "Tmp_SF:sunssf St:enum16 StVnd:enum16 Evt1:bitfield32 Evt2:bitfield32",
    "EvtVnd1:bitfield32 EvtVnd2:bitfield32 EvtVnd3:bitfield32 EvtVnd4:bitfield32",
  ].join(" "),
);

export const storage = defineModel(
  124,
  "basic storage controls",
  [
    "WChaMax:uint16@WChaMax_SF WChaGra:uint16@WChaDisChaGra_SF WDisChaGra:uint16@WChaDisChaGra_SF StorCtl_Mod:bitfield16",
    "VAChaMax:uint16@VAChaMax_SF MinRsvPct:uint16@MinRsvPct_SF ChaState:uint16@ChaState_SF StorAval:uint16@StorAval_SF",
    "InBatV:uint16@InBatV_SF ChaSt:enum16 OutWRte:int16@InOutWRte_SF InWRte:int16@InOutWRte_SF",
    "InOutWRte_WinTms:uint16 InOutWRte_RvrtTms:uint16 InOutWRte_RmpTms:uint16 ChaGriSet:enum16",
    "WChaMax_SF:sunssf WChaDisChaGra_SF:sunssf VAChaMax_SF:sunssf MinRsvPct_SF:sunssf ChaState_SF:sunssf",
    "StorAval_SF:sunssf InBatV_SF:sunssf InOutWRte_SF:sunssf",
  ].join(" "),
);

export const storageCapacity = defineModel(
  713,
  "storage capacity",
  "WHRtg:uint16@WH_SF WHAvail:uint16@WH_SF SoC:uint16@Pct_SF SoH:uint16@Pct_SF Sta:enum16 WH_SF:sunssf Pct_SF:sunssf",
);

export const battery = defineModel(
  802,
  "battery base",
  [
    "AHRtg:uint16@AHRtg_SF WHRtg:uint16@WHRtg_SF WChaRteMax:uint16@WChaDisChaMax_SF WDisChaRteMax:uint16@WChaDisChaMax_SF",
    "DisChaRte:uint16@DisChaRte_SF SoCMax:uint16@SoC_SF SoCMin:uint16@SoC_SF SocRsvMax:uint16@SoC_SF SoCRsvMin:uint16@SoC_SF",
    "SoC:uint16@SoC_SF DoD:uint16@DoD_SF SoH:uint16@SoH_SF NCyc:uint32 ChaSt:enum16 LocRemCtl:enum16 Hb:uint16",
    "CtrlHb:uint16 AlmRst:uint16 Typ:enum16 State:enum16 StateVnd:enum16 WarrDt:uint32 Evt1:bitfield32 Evt2:bitfield32",
    "EvtVnd1:bitfield32 EvtVnd2:bitfield32 V:uint16@V_SF VMax:uint16@V_SF VMin:uint16@V_SF CellVMax:uint16@CellV_SF",
    "CellVMaxStr:uint16 CellVMaxMod:uint16 CellVMin:uint16@CellV_SF CellVMinStr:uint16 CellVMinMod:uint16",
    "CellVAvg:uint16@CellV_SF A:int16@A_SF AChaMax:uint16@AMax_SF ADisChaMax:uint16@AMax_SF W:int16@W_SF",
    "ReqInvState:enum16 ReqW:int16@W_SF SetOp:enum16 SetInvState:enum16",
    "AHRtg_SF:sunssf WHRtg_SF:sunssf WChaDisChaMax_SF:sunssf DisChaRte_SF:sunssf SoC_SF:sunssf DoD_SF:sunssf",
    "SoH_SF:sunssf V_SF:sunssf CellV_SF:sunssf A_SF:sunssf AMax_SF:sunssf W_SF:sunssf",
  ].join(" "),
);

/**
 * A car charger. SunSpec has no model for one, so this is a vendor model (their ids are 64000 to 65535): state 1 = no car,
 * 2 = car waits, 3 = car charges; `WSet` not implemented (0xFFFF) = the charger's own rule; times in unix seconds.
 */
export const charger = defineModel(
  64210,
  "car charger",
  [
    "St:enum16 W:uint16@W_SF WMax:uint16@W_SF WSet:uint16@W_SF RvrtTms:uint16 SoC:uint16@Pct_SF TgtSoC:uint16@Pct_SF",
    "WHRtg:uint16@WH_SF EffPct:uint16@Pct_SF TotWh:acc32 ArrTm:uint32 DepTm:uint32 W_SF:sunssf WH_SF:sunssf Pct_SF:sunssf",
  ].join(" "),
);

/** Known models by id. */
export const models: ReadonlyMap<number, Model> = new Map(
  [common, meter, inverter, storage, storageCapacity, battery, charger].map((model) => [model.id, model]),
);
