/** STUN, for servers and clients of it: messages, and questions about how a NAT behaves. */
export * from './stun-message.ts'
export * from './stun-query.ts'
