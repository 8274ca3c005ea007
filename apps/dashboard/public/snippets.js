// Ten lines for each SDK; every one works when pasted, with the address and the key of this project. The comments above them
// say what an app needs besides: an emulator is a machine of its own, and phones refuse plain http unless told otherwise.

export const sdks = ['JavaScript', 'Swift', 'Kotlin', 'Flutter', 'Python', 'curl']

/** @param {{ url: string, key: string, table: string }} project */
export function snippet(sdk, { url, key, table }) {
  const { protocol, port } = new URL(url)
  const forAndroid = `// Android, emulator or by USB: adb reverse tcp:${port} tcp:${port} (or, emulator: ${protocol}//10.0.2.2:${port})`
  switch (sdk) {
    case 'JavaScript':
      return `// npm install @supabase/supabase-js (React Native: also react-native-url-polyfill)
${forAndroid}
import { createClient } from '@supabase/supabase-js'

const pando = createClient('${url}', '${key}')
const { data, error } = await pando.from('${table}').select('*').limit(10)
if (error) throw error
console.table(data)`
    case 'Swift':
      return `// Package https://github.com/supabase/supabase-swift, product Supabase
// Plain http: set NSAppTransportSecurity > NSAllowsLocalNetworking to YES in the app's Info.plist
import Foundation
import Supabase

let pando = SupabaseClient(
  supabaseURL: URL(string: "${url}")!,
  supabaseKey: "${key}"
)
let answer = try await pando.from("${table}").select().limit(10).execute()
print(String(decoding: answer.data, as: UTF8.self))`
    case 'Kotlin':
      return `// implementation("io.github.jan-tennert.supabase:postgrest-kt:3.+")
// implementation("io.ktor:ktor-client-okhttp:3.+")
${forAndroid}
// AndroidManifest.xml: android.permission.INTERNET; for plain http android:usesCleartextTraffic="true" (debug only)
import io.github.jan.supabase.createSupabaseClient
import io.github.jan.supabase.postgrest.Postgrest
import io.github.jan.supabase.postgrest.from

suspend fun main() {
  val pando = createSupabaseClient("${url}", "${key}") { install(Postgrest) }
  val answer = pando.from("${table}").select { limit(10) }
  println(answer.data)
}`
    case 'Flutter':
      return `// flutter pub add supabase_flutter
${forAndroid}
// macOS: com.apple.security.network.client in the entitlements
import 'package:flutter/widgets.dart';
import 'package:supabase_flutter/supabase_flutter.dart';

Future<void> main() async {
  WidgetsFlutterBinding.ensureInitialized();
  await Supabase.initialize(url: '${url}', publishableKey: '${key}');
  final rows = await Supabase.instance.client.from('${table}').select().limit(10);
  debugPrint('$rows');
}`
    case 'Python':
      return `# pip install supabase
from supabase import create_client

pando = create_client(
    "${url}",
    "${key}",
)
answer = pando.table("${table}").select("*").limit(10).execute()
for row in answer.data:
    print(row)`
    default:
      return `curl '${url}/rest/v1/${table}?select=*&limit=10' \\
  -H 'apikey: ${key}'`
  }
}
