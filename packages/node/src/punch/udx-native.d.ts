// The library has no types; udx.ts says what is used of it.
declare module 'udx-native'
