import { expect, it } from 'vitest'
import { unwritable } from './explain.ts'

it('[FI45] a file system that takes no file of that size is not full', () => {
  const of = (code: string): unknown => unwritable('/stick/film', Object.assign(new Error(code), { code }))
  expect(of('ENOSPC')).toMatchObject({ code: 'DISK_FULL' })
  expect(of('EFBIG')).toMatchObject({ code: 'FILE_UNREADABLE', message: expect.stringContaining('no files of that size') })
  expect(of('EIO')).toMatchObject({ code: 'FILE_UNREADABLE', message: expect.stringContaining('check the disk') })
})
