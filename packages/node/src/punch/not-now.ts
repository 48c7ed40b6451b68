/** A punch that was not even begun, for something else has its turn: it says nothing of whether one would succeed. */
export class NotNow extends Error {}

/** Of those the one that the other side is told of. */
export class TriedEnough extends NotNow {
  constructor() {
    super('tried often enough in this minute')
  }
}
