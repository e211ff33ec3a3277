/** The states of a sale. */

/** The order of the enumeration in IExchange.sol. */
export const SALE_STATES = ["None", "Pledged", "Offered", "Taken", "Released", "Paid", "Returned", "Burned"] as const;
/** The state of a sale. */
export type SaleState = (typeof SALE_STATES)[number];
