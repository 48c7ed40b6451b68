/** The package has no types of its own. */
declare module 'default-gateway' {
  /** Rejects where there is no default route over IPv4, or the system does not say. */
  export function gateway4async(): Promise<{ readonly gateway: string }>
}
