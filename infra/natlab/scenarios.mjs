// Something happens to the network in mid-conversation.

/** By name; each takes the options of the command line and returns its document. */
export const SCENARIOS = {}
