/** Records of a plan with three stores, for a performance on a chain: what its stores have signed is up to the test. */
import type { RoundsRecord } from "../../../src/rounds/index.ts";
import type { LeafPlace } from "../../../src/rounds/plan.ts";
import type { StoreSentence } from "../../../src/rounds/receipt.ts";
import { runOf, type Statement } from "../../../src/rounds/statement.ts";
import { relisted, stored } from "../../rounds/liars.ts";

/** A store's receipt of a leaf. */
export const receiptOf = ({ plan, instance }: RoundsRecord, statement: Statement, store: number): StoreSentence =>
  stored(instance, statement, store, runOf(plan, statement));

/** Two stores of three have signed each leaf, and two each absence. */
const isEnough = ({ run, store }: StoreSentence): boolean => store === 1 || store === (run ? 0 : 2);

/**
 * A record with what stores have signed, as few as are needed.
 * @param leavesOut the places of which it has nothing
 * @param more statements that it lists beside
 */
export const storedRecord = (
  record: RoundsRecord,
  leavesOut: (place: LeafPlace) => boolean = () => false,
  more: readonly Statement[] = [],
): Promise<RoundsRecord> =>
  relisted(
    record,
    (roll) => [roll],
    [],
    more,
    (each) => (isEnough(each) && !leavesOut(each) ? [each] : []),
  );
