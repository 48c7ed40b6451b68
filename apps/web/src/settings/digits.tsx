export const Digits = ({ code }: { readonly code: string }) => (
  <p className="text-center text-3xl tracking-widest" data-code={code}>
    {code.slice(0, 3)} {code.slice(3)}
  </p>
)
