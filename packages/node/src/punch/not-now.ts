/** A punch that was not even begun, for something else has its turn: it says nothing of whether one would succeed. */
export class NotNow extends Error {}
