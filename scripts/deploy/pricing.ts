import { DynamicTariffs__factory } from "../../types/contracts/factories/pricing/DynamicTariffs__factory.ts";
import { Tariffs__factory } from "../../types/contracts/factories/pricing/Tariffs__factory.ts";
import { MarketAccess__factory } from "../../types/contracts/factories/access/MarketAccess__factory.ts";
import { ROLES, type Group } from "./group.ts";

/** Dynamic tariffs. They publish terms as the operator does, and alone where they are switched on. */
export const pricing: Group = {
  name: "pricing",
  creations: () => [
    {
      name: "dynamicTariffs",
      transaction: ({ at }) =>
        new DynamicTariffs__factory().getDeployTransaction(at.accessManager, at.tariffs, at.auction, at.meterOracle),
    },
  ],
  restrictions: ({ at }) => [
    { target: at.tariffs, role: "TARIFF_PUBLISHER", abi: Tariffs__factory.createInterface(), functions: ["publish"] },
    {
      target: at.dynamicTariffs,
      role: "OPERATOR",
      abi: DynamicTariffs__factory.createInterface(),
      functions: ["announce", "switchOff"],
    },
  ],
  holders: ({ operator, operatorDelaySeconds = 0 }, at) => [
    { role: "TARIFF_PUBLISHER", account: operator, delaySeconds: operatorDelaySeconds },
    { role: "TARIFF_PUBLISHER", account: at.dynamicTariffs },
  ],
  calls: ({ at }) => [
    {
      name: "guardian of TARIFF_PUBLISHER",
      to: at.accessManager,
      data: MarketAccess__factory.createInterface().encodeFunctionData("setRoleGuardian", [
        ROLES.TARIFF_PUBLISHER,
        ROLES.GUARDIAN,
      ]),
    },
  ],
};
