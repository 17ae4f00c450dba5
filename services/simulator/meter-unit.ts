import type { ModbusUnit } from "../devices/modbus-server.ts";
import { createSunSpecImage, type SunSpecImage } from "../devices/sunspec/map.ts";
import { common, meter } from "../devices/sunspec/models.ts";

/** A simulated three-phase meter: SunSpec common model and model 203. */
export interface MeterUnit {
  readonly unit: ModbusUnit;
  /** `powerW`: positive = import. */
  refresh(shown: { importWh: number; exportWh: number; powerW: number }): void;
}

/** The smallest power of ten with which a value up to `most` fits a signed register. */
export function scaleFor(most: number): number {
  let scale = 0;
  while (most / 10 ** scale > 32_767) scale += 1;
  return scale;
}

export function fillIdentity(image: SunSpecImage, model: string, serial: string): void {
  image.set(common, "Mn", "DAEG");
  image.set(common, "Md", model);
  image.set(common, "Vr", "1");
  image.set(common, "SN", serial);
  image.set(common, "DA", 1);
}

export function createMeterUnit(serial: string, ratingW: number): MeterUnit {
  const image = createSunSpecImage([common, meter]);
  fillIdentity(image, "DAEG Meter", serial);
  image.set(meter, "W_SF", scaleFor(ratingW));
  image.set(meter, "Hz_SF", -2);
  image.set(meter, "Hz", 50);
  image.set(meter, "V_SF", -1);
  image.set(meter, "PhV", 230);
  return {
    unit: { holding: [image] },
    refresh({ importWh, exportWh, powerW }) {
      image.set(meter, "TotWhImp", importWh);
      image.set(meter, "TotWhExp", exportWh);
      image.set(meter, "W", powerW);
    },
  };
}
