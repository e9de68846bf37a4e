import { type ClientSettings, defaultContextName, editClientFile } from '../../config/client/index.ts'
import { path } from '../copy/path.ts'

/** Writes the name into the configuration. For the default context, removes the entry. */
export function setCurrentContext({ configDir, file }: ClientSettings, name: string): void {
  const wanted = name === defaultContextName ? undefined : name
  if ((file().currentContext || undefined) === wanted) return
  editClientFile(path.join(configDir, 'config.json'), (document) => {
    if (wanted === undefined) delete document.currentContext
    else document.currentContext = wanted
  })
}
