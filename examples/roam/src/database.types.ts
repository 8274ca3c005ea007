export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]

export type Database = {
  // Tells createClient which version of the wire to derive types by
  __InternalSupabase: {
    PostgrestVersion: "14.12"
  }
  public: {
    Tables: {
      chat_messages: {
        Row: {
          author: string
          body: string
          id: string
          sent_at: string
          trip_id: number
        }
        Insert: {
          author?: string
          body: string
          id?: string
          sent_at?: string
          trip_id: number
        }
        Update: {
          author?: string
          body?: string
          id?: string
          sent_at?: string
          trip_id?: number
        }
        Relationships: [
          {
            foreignKeyName: "chat_messages_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "chat_messages_trip_id_fkey"
            columns: ["trip_id"]
            isOneToOne: false
            referencedRelation: "trips"
            referencedColumns: ["id"]
          },
        ]
      }
      companions: {
        Row: {
          id: number
          person: string
          since: string
          trip_id: number
        }
        Insert: {
          id?: never
          person: string
          since?: string
          trip_id: number
        }
        Update: {
          id?: never
          person?: string
          since?: string
          trip_id?: number
        }
        Relationships: [
          {
            foreignKeyName: "companions_person_fkey"
            columns: ["person"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "companions_trip_id_fkey"
            columns: ["trip_id"]
            isOneToOne: false
            referencedRelation: "trips"
            referencedColumns: ["id"]
          },
        ]
      }
      flights: {
        Row: {
          delay_minutes: number
          departs_at: string
          destination: string
          distance_miles: number
          id: number
          origin: string
        }
        Insert: {
          delay_minutes: number
          departs_at: string
          destination: string
          distance_miles: number
          id?: never
          origin: string
        }
        Update: {
          delay_minutes?: number
          departs_at?: string
          destination?: string
          distance_miles?: number
          id?: never
          origin?: string
        }
        Relationships: [
          {
            foreignKeyName: "flights_destination_fkey"
            columns: ["destination"]
            isOneToOne: false
            referencedRelation: "places"
            referencedColumns: ["iata"]
          },
          {
            foreignKeyName: "flights_origin_fkey"
            columns: ["origin"]
            isOneToOne: false
            referencedRelation: "places"
            referencedColumns: ["iata"]
          },
        ]
      }
      follows: {
        Row: {
          followed: string
          follower: string
          since: string
        }
        Insert: {
          followed: string
          follower?: string
          since?: string
        }
        Update: {
          followed?: string
          follower?: string
          since?: string
        }
        Relationships: [
          {
            foreignKeyName: "follows_followed_fkey"
            columns: ["followed"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "follows_follower_fkey"
            columns: ["follower"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      places: {
        Row: {
          city: string | null
          country: string
          iata: string
          latitude: number
          longitude: number
          name: string
          state: string | null
        }
        Insert: {
          city?: string | null
          country: string
          iata: string
          latitude: number
          longitude: number
          name: string
          state?: string | null
        }
        Update: {
          city?: string | null
          country?: string
          iata?: string
          latitude?: number
          longitude?: number
          name?: string
          state?: string | null
        }
        Relationships: []
      }
      posts: {
        Row: {
          author: string
          body: string
          created_at: string
          id: number
          place: string | null
          trip_id: number | null
        }
        Insert: {
          author?: string
          body: string
          created_at?: string
          id?: never
          place?: string | null
          trip_id?: number | null
        }
        Update: {
          author?: string
          body?: string
          created_at?: string
          id?: never
          place?: string | null
          trip_id?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "posts_author_fkey"
            columns: ["author"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "posts_place_fkey"
            columns: ["place"]
            isOneToOne: false
            referencedRelation: "places"
            referencedColumns: ["iata"]
          },
          {
            foreignKeyName: "posts_trip_id_fkey"
            columns: ["trip_id"]
            isOneToOne: false
            referencedRelation: "trips"
            referencedColumns: ["id"]
          },
        ]
      }
      profiles: {
        Row: {
          full_name: string
          handle: string
          home: string | null
          id: string
          joined_at: string
          followers_count: number | null
        }
        Insert: {
          full_name: string
          handle: string
          home?: string | null
          id: string
          joined_at?: string
        }
        Update: {
          full_name?: string
          handle?: string
          home?: string | null
          id?: string
          joined_at?: string
        }
        ComputedFields: "followers_count"
        Relationships: [
          {
            foreignKeyName: "profiles_home_fkey"
            columns: ["home"]
            isOneToOne: false
            referencedRelation: "places"
            referencedColumns: ["iata"]
          },
        ]
      }
      trips: {
        Row: {
          destination: string
          ends_on: string
          id: number
          origin: string
          starts_on: string
          title: string
          traveller: string
          visibility: Database["public"]["Enums"]["visibility"]
        }
        Insert: {
          destination: string
          ends_on: string
          id?: never
          origin: string
          starts_on: string
          title: string
          traveller?: string
          visibility?: Database["public"]["Enums"]["visibility"]
        }
        Update: {
          destination?: string
          ends_on?: string
          id?: never
          origin?: string
          starts_on?: string
          title?: string
          traveller?: string
          visibility?: Database["public"]["Enums"]["visibility"]
        }
        Relationships: [
          {
            foreignKeyName: "trips_destination_fkey"
            columns: ["destination"]
            isOneToOne: false
            referencedRelation: "places"
            referencedColumns: ["iata"]
          },
          {
            foreignKeyName: "trips_origin_fkey"
            columns: ["origin"]
            isOneToOne: false
            referencedRelation: "places"
            referencedColumns: ["iata"]
          },
          {
            foreignKeyName: "trips_traveller_fkey"
            columns: ["traveller"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
    }
    Views: {
      route_delays: {
        Row: {
          average_delay_minutes: number | null
          destination: string
          flights: number
          origin: string
        }
        Relationships: [
          {
            foreignKeyName: "flights_destination_fkey"
            columns: ["destination"]
            isOneToOne: false
            referencedRelation: "places"
            referencedColumns: ["iata"]
          },
          {
            foreignKeyName: "flights_origin_fkey"
            columns: ["origin"]
            isOneToOne: false
            referencedRelation: "places"
            referencedColumns: ["iata"]
          },
        ]
      }
    }
    Functions: {
      followers_count: {
        Args: { "": Database["public"]["Tables"]["profiles"]["Row"] }
        Returns: {
          error: true
        } & "the function public.followers_count with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      own_trips: {
        Args: never
        Returns: number[]
      }
      places_near: {
        Args: { latitude: number; longitude: number; radius_km?: number }
        Returns: {
          city: string
          distance_km: number
          iata: string
          name: string
        }[]
      }
    }
    Enums: {
      visibility: "private" | "followers" | "public"
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
}

type Schemas = Omit<Database, "__InternalSupabase">

type SchemaOption = { schema: keyof Schemas }

type RelationsOf<Schema extends keyof Schemas> = Schemas[Schema]["Tables"] & Schemas[Schema]["Views"]

type Member<Type, Key extends string> = Type extends { [_ in Key]: infer Found } ? Found : never

export type Tables<
  NameOrSchema extends keyof RelationsOf<"public"> | SchemaOption,
  Name extends NameOrSchema extends SchemaOption ? keyof RelationsOf<NameOrSchema["schema"]> : never = never,
> = NameOrSchema extends SchemaOption
  ? Member<RelationsOf<NameOrSchema["schema"]>[Name], "Row">
  : NameOrSchema extends keyof RelationsOf<"public">
    ? Member<RelationsOf<"public">[NameOrSchema], "Row">
    : never

export type TablesInsert<
  NameOrSchema extends keyof Schemas["public"]["Tables"] | SchemaOption,
  Name extends NameOrSchema extends SchemaOption ? keyof Schemas[NameOrSchema["schema"]]["Tables"] : never = never,
> = NameOrSchema extends SchemaOption
  ? Member<Schemas[NameOrSchema["schema"]]["Tables"][Name], "Insert">
  : NameOrSchema extends keyof Schemas["public"]["Tables"]
    ? Member<Schemas["public"]["Tables"][NameOrSchema], "Insert">
    : never

export type TablesUpdate<
  NameOrSchema extends keyof Schemas["public"]["Tables"] | SchemaOption,
  Name extends NameOrSchema extends SchemaOption ? keyof Schemas[NameOrSchema["schema"]]["Tables"] : never = never,
> = NameOrSchema extends SchemaOption
  ? Member<Schemas[NameOrSchema["schema"]]["Tables"][Name], "Update">
  : NameOrSchema extends keyof Schemas["public"]["Tables"]
    ? Member<Schemas["public"]["Tables"][NameOrSchema], "Update">
    : never

export type Enums<
  NameOrSchema extends keyof Schemas["public"]["Enums"] | SchemaOption,
  Name extends NameOrSchema extends SchemaOption ? keyof Schemas[NameOrSchema["schema"]]["Enums"] : never = never,
> = NameOrSchema extends SchemaOption
  ? Schemas[NameOrSchema["schema"]]["Enums"][Name]
  : NameOrSchema extends keyof Schemas["public"]["Enums"]
    ? Schemas["public"]["Enums"][NameOrSchema]
    : never

export type CompositeTypes<
  NameOrSchema extends keyof Schemas["public"]["CompositeTypes"] | SchemaOption,
  Name extends NameOrSchema extends SchemaOption ? keyof Schemas[NameOrSchema["schema"]]["CompositeTypes"] : never = never,
> = NameOrSchema extends SchemaOption
  ? Schemas[NameOrSchema["schema"]]["CompositeTypes"][Name]
  : NameOrSchema extends keyof Schemas["public"]["CompositeTypes"]
    ? Schemas["public"]["CompositeTypes"][NameOrSchema]
    : never

export const Constants = {
  public: {
    Enums: {
      visibility: ["private", "followers", "public"],
    },
  },
} as const
