// Tokens of every kind: phones whose token is not the usual one of its platform stand beside the others.
import { randomUUID } from 'node:crypto'
import { PLATFORMS, type Platform, type TokenKind } from '@push-server/contract'
import type { Push } from '@push-server/simulator'
import { generateHuaweiAccount, type TestStack } from '@push-server/testing'

/** A service account of HMS beside the client that the application has: it pushes to HarmonyOS 5 and later. */
export async function addHuaweiAccount({ api }: TestStack, appId: string, category = 'WORK'): Promise<void> {
  const account = { projectId: 'test-project', privateKeyBase64: btoa(generateHuaweiAccount()), category }
  const { status, body } = await api.post('/admin/app/huawei/account/update', { appId, ...account })
  if (status !== 200) throw new Error(JSON.stringify(body))
}

export interface KindPhone {
  platform: Platform
  token: string
  tokenKind?: TokenKind
}

/** 22 characters of base64url. */
export const newInstallationId = () => `c${randomUUID().replaceAll('-', '').slice(0, 21)}`

/** A phone of each platform, and one of each other kind of tokens. */
export function phonesOfEveryKind(): KindPhone[] {
  const hex = () => randomUUID().replaceAll('-', '')
  return [
    ...PLATFORMS.map((platform) => ({ platform, token: `${hex()}${hex()}` })),
    { platform: 'android', token: newInstallationId(), tokenKind: 'fid' },
    { platform: 'huawei', token: `${hex()}${hex()}`, tokenKind: 'v3' },
  ]
}

/** What the provider took the token for. */
export function kindOf(push: Push): TokenKind | undefined {
  if (push.platform === 'android') return push.target === 'fid' ? 'fid' : undefined
  return push.platform === 'huawei' && push.version === 3 ? 'v3' : undefined
}
