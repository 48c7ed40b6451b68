import { Head, Html, Main, NextScript } from 'next/document'

export default function SkeinDocument() {
  return (
    <Html lang="en">
      {/* The same for all pages, so that none of them loads the code that would change it. */}
      <Head>
        <title>Skein</title>
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content" />
        <meta name="description" content="Messages from device to device, sealed on the way." />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <meta name="theme-color" content="#0a6457" />
        <link rel="manifest" href="/manifest.webmanifest" />
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="apple-touch-icon" href="/icon-192.png" />
      </Head>
      <body>
        <Main />
        <NextScript />
      </body>
    </Html>
  )
}
