// Ten lines for each SDK; every one works when pasted, with the address and the key of this project.

export const sdks = ['JavaScript', 'Swift', 'Kotlin', 'Flutter', 'Python', 'curl']

/** @param {{ url: string, key: string, table: string }} project */
export function snippet(sdk, { url, key, table }) {
  switch (sdk) {
    case 'JavaScript':
      return `// npm install @supabase/supabase-js
import { createClient } from '@supabase/supabase-js'

const pando = createClient(
  '${url}',
  '${key}',
)
const { data, error } = await pando.from('${table}').select('*').limit(10)
if (error) throw error
console.table(data)`
    case 'Swift':
      return `// Package: https://github.com/supabase/supabase-swift
import Foundation
import Supabase

let pando = SupabaseClient(
  supabaseURL: URL(string: "${url}")!,
  supabaseKey: "${key}"
)
let answer = try await pando.from("${table}").select().limit(10).execute()
print(String(decoding: answer.data, as: UTF8.self))`
    case 'Kotlin':
      return `// implementation("io.github.jan-tennert.supabase:postgrest-kt:3.+"), and a Ktor engine
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
import 'package:flutter/widgets.dart';
import 'package:supabase_flutter/supabase_flutter.dart';

Future<void> main() async {
  WidgetsFlutterBinding.ensureInitialized();
  await Supabase.initialize(url: '${url}', anonKey: '${key}');
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
