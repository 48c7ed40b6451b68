/** By it a device joins an account: one frame after the other, in turns. Beside what speaks it, which is loaded when somebody does. */
export const LINK_PROTOCOL = '/skein/link/1'
