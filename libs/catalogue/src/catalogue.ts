/**
 * What is in the database, as plain data: the picture that requests are planned against and types are written from.
 * It is built off the request path and replaced as a whole; a catalogue that is in use never changes.
 */
export type Catalogue = {
  /** Grows with each load; compiled plans belong to one generation. */
  readonly generation: number
  /** The server's version as `server_version_num`, for example 180004. */
  readonly serverVersion: number
  /** Keyed by `nameKey`. */
  readonly relations: ReadonlyMap<string, Relation>
  /** All relationships that start at a relation, keyed by the `nameKey` of that relation. */
  readonly relationships: ReadonlyMap<string, readonly Relationship[]>
  /** All overloads of a function, keyed by `nameKey`. */
  readonly routines: ReadonlyMap<string, readonly Routine[]>
  /** Casts between a domain and json/text that the data API applies, see `DomainRepresentation`. */
  readonly representations: readonly DomainRepresentation[]
  readonly mediaHandlers: readonly MediaHandler[]
  /** PostGIS' function that makes a GeoJSON feature of a row, where PostGIS is installed. */
  readonly geoJson?: QualifiedName
  readonly enums: readonly EnumType[]
  readonly compositeTypes: readonly CompositeType[]
  /**
   * Functions that take a row of a relation through a parameter without a name: computed columns and relationships that
   * a request cannot call.
   */
  readonly rowFunctions?: readonly Routine[]
  /** `comment on schema`, by schema. */
  readonly schemaComments: ReadonlyMap<string, string>
  /** Names accepted by `set timezone`; compared case-insensitively. */
  readonly timezones: ReadonlySet<string>
  /** Settings of `alter role … set …` for the roles the API may become, by role; includes `statement_timeout`. */
  readonly roleSettings: ReadonlyMap<string, readonly (readonly [name: string, value: string])[]>
  /** `alter role authenticator set pgrst.<name> = …` (database-specific values win), without the prefix. */
  readonly inDatabaseConfig: ReadonlyMap<string, string>
  /**
   * Where Citus spreads tables over servers: the column by which each such table is spread, keyed by `nameKey`. Undefined on
   * a server without Citus.
   */
  readonly shardKeys?: ReadonlyMap<string, string>
}

export type QualifiedName = { readonly schema: string; readonly name: string }

/** The map key of a qualified name; NUL cannot be part of an identifier. */
export function nameKey(name: QualifiedName): string {
  return `${name.schema}\0${name.name}`
}

export type Relation = QualifiedName & {
  readonly kind: 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table'
  readonly comment?: string
  readonly insertable: boolean
  readonly updatable: boolean
  readonly deletable: boolean
  /** Of a view: the columns that stem from the primary key of its base table, when that is known. */
  readonly primaryKey: readonly string[]
  /** By name, in the order of their position. */
  readonly columns: ReadonlyMap<string, Column>
  readonly uniqueKeys: readonly (readonly string[])[]
}

export type Column = {
  readonly name: string
  readonly comment?: string
  /** What the catalogue declares; a view's columns are always nullable by it. */
  readonly nullable: boolean
  /**
   * Not null by declaration, or (of a view) proven by its query: no outer join, grouping set or set operation can null
   * it.
   */
  readonly neverNull?: boolean
  /** As `format_type` writes it, for example `timestamp with time zone`, `character varying(40)`, `public.mood[]`. */
  readonly type: string
  /**
   * The type with domains resolved to their base, without length; what a payload is cast to unless `type` is a domain.
   * Where the bare word would mean a length of one it is the unbounded spelling: `bpchar` for `character`, `"bit"` for
   * `bit`.
   */
  readonly baseType: string
  readonly maxLength?: number
  /**
   * The expression text of the default, fit for use in a statement: also the `nextval(…)` of an identity column that is
   * `by default`, and the default of the column's domain. Undefined when there is none.
   */
  readonly default?: string
  readonly identity?: 'always' | 'by default'
  readonly generated: boolean
  readonly updatable: boolean
  /** Labels, when the (base) type is an enum. */
  readonly enumLabels?: readonly string[]
  /** For the types writer: the type's own name, array-ness aside and domains resolved. */
  readonly typeName: QualifiedName
  readonly isArray: boolean
}

/** How one relation reaches another. `from` is the relation whose row embeds, `to` is the one embedded. */
export type Relationship = {
  readonly from: QualifiedName
  readonly to: QualifiedName
  readonly isSelf: boolean
  /** Whether `from` or `to` is a view (such relationships are listed after those of tables). */
  readonly throughView: boolean
  readonly via:
    | {
        /** `many-to-one`: the key is in `from`. `one-to-many`: it is in `to`. `one-to-one`: see `keyInFrom`. */
        readonly kind: 'many-to-one' | 'one-to-many' | 'one-to-one'
        readonly constraint: string
        /** Pairs (column of `from`, column of `to`). */
        readonly columns: readonly (readonly [from: string, to: string])[]
        readonly keyInFrom: boolean
      }
    | {
        readonly kind: 'many-to-many'
        readonly junction: QualifiedName
        /** Constraint of the junction that refers to `from`, with pairs (column of `from`, column of the junction). */
        readonly fromConstraint: string
        readonly fromColumns: readonly (readonly [from: string, junction: string])[]
        /** Constraint of the junction that refers to `to`, with pairs (column of `to`, column of the junction). */
        readonly toConstraint: string
        readonly toColumns: readonly (readonly [to: string, junction: string])[]
      }
    /** A function that takes a row of `from` and returns row(s) of `to`. */
    | { readonly kind: 'computed'; readonly routine: QualifiedName; readonly toOne: boolean }
}

export type Routine = QualifiedName & {
  readonly comment?: string
  readonly parameters: readonly RoutineParameter[]
  readonly returns: {
    readonly isSet: boolean
    readonly type:
      /** `name` with domains resolved and array-ness aside. */
      | { readonly kind: 'scalar'; readonly name: QualifiedName; readonly text: string; readonly isArray?: boolean }
      /**
       * A table's or view's row, a composite type, `returns table (…)` or several out parameters (then `relation` is
       * undefined).
       */
      | {
          readonly kind: 'composite'
          readonly name: QualifiedName
          readonly text: string
          readonly relation?: QualifiedName
          readonly isDomain: boolean
        }
      | { readonly kind: 'void' }
    /** Columns of `returns table` or of out parameters, in order. */
    readonly columns?: readonly {
      readonly name: string
      readonly type: string
      readonly typeName?: QualifiedName
      readonly isArray?: boolean
    }[]
  }
  readonly volatility: 'volatile' | 'stable' | 'immutable'
  readonly isVariadic: boolean
  /** The planner's estimate (`rows 1` says that a set has at most one row); undefined unless the result is a set. */
  readonly rows?: number
  /** The function's own `set` clauses, for example `statement_timeout`. */
  readonly settings: readonly (readonly [name: string, value: string])[]
}

export type RoutineParameter = {
  /** Empty for an unnamed parameter. */
  readonly name: string
  readonly type: string
  readonly baseType: string
  readonly typeName: QualifiedName
  readonly isArray: boolean
  readonly required: boolean
  readonly isVariadic: boolean
  /** The relation whose row the parameter takes. */
  readonly relation?: QualifiedName
}

/** A function that a cast between a domain and json or text names: how values of that domain enter and leave. */
export type DomainRepresentation = { readonly from: string; readonly to: string; readonly routine: QualifiedName }

/** An aggregate or function that produces a media type (a domain named like one), for a relation's rows or for any. */
export type MediaHandler = {
  readonly mediaType: string
  readonly routine: QualifiedName
  /** The relation whose rows the handler takes; undefined for `anyelement`. */
  readonly relation?: QualifiedName
  readonly kind: 'aggregate' | 'function'
  /** The type under the domain is bytea. */
  readonly isBinary?: boolean
}

export type EnumType = QualifiedName & { readonly labels: readonly string[] }
export type CompositeType = QualifiedName & {
  readonly columns: readonly {
    readonly name: string
    readonly type: string
    readonly typeName: QualifiedName
    readonly isArray: boolean
  }[]
}
