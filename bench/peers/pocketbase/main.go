// PocketBase as its users run it: its own binary, its own SQLite, the same rows. Collections are readable by anyone, so the
// load carries no token and PocketBase has less to check than the others.
package main

import (
	"log"
	"os"
	"strconv"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

func main() {
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: os.Getenv("DATA_DIR"), HideStartBanner: true})
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := fill(e.App); err != nil {
			return err
		}
		e.Router.POST("/look", func(e *core.RequestEvent) error {
			asked, err := toil(e)
			if err != nil {
				return err
			}
			record, err := e.App.FindRecordById("items", id(asked.Key))
			if err != nil {
				return err
			}
			return e.JSON(200, record)
		})
		e.Router.POST("/note", func(e *core.RequestEvent) error {
			asked, err := toil(e)
			if err != nil {
				return err
			}
			readings, err := e.App.FindCachedCollectionByNameOrId("readings")
			if err != nil {
				return err
			}
			record := core.NewRecord(readings)
			record.Set("device", asked.Key)
			record.Set("value", 0.5)
			if err := e.App.Save(record); err != nil {
				return err
			}
			return e.JSON(200, record)
		})
		return e.Next()
	})
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

type slow struct {
	Key  int `json:"key"`
	Toil int `json:"toil"`
}

// What is slow, in SQL: so many rows are worked through.
func toil(e *core.RequestEvent) (slow, error) {
	var asked slow
	if err := e.BindBody(&asked); err != nil {
		return asked, err
	}
	var sum float64
	err := e.App.DB().
		NewQuery("with recursive t(n) as (select 1 union all select n + 1 from t where n < {:toil}) select sum(n * 0.5) from t").
		Bind(map[string]any{"toil": asked.Toil}).
		Row(&sum)
	return asked, err
}

func open(collection *core.Collection) *core.Collection {
	collection.ListRule = types.Pointer("")
	collection.ViewRule = types.Pointer("")
	collection.CreateRule = types.Pointer("")
	return collection
}

func fill(app core.App) error {
	if _, err := app.FindCollectionByNameOrId("items"); err == nil {
		return nil
	}
	authors := open(core.NewBaseCollection("authors"))
	authors.Fields.Add(&core.TextField{Name: "name"}, &core.TextField{Name: "avatar"})
	if err := app.Save(authors); err != nil {
		return err
	}
	items := open(core.NewBaseCollection("items"))
	items.Fields.Add(
		&core.NumberField{Name: "key"}, &core.TextField{Name: "title"}, &core.TextField{Name: "body"},
		&core.NumberField{Name: "score"}, &core.BoolField{Name: "is_public"}, &core.DateField{Name: "created_at"},
		&core.RelationField{Name: "author", CollectionId: authors.Id, MaxSelect: 1},
	)
	items.AddIndex("items_score", false, "score", "")
	items.AddIndex("items_key", true, "key", "")
	if err := app.Save(items); err != nil {
		return err
	}
	readings := open(core.NewBaseCollection("readings"))
	readings.Fields.Add(&core.NumberField{Name: "device"}, &core.NumberField{Name: "value"})
	if err := app.Save(readings); err != nil {
		return err
	}
	rows, _ := strconv.Atoi(os.Getenv("ROWS"))
	return app.RunInTransaction(func(tx core.App) error {
		for n := 1; n <= 1000; n++ {
			if _, err := tx.DB().NewQuery("insert into authors (id, name, avatar) values ({:id}, {:name}, {:avatar})").
				Bind(map[string]any{"id": id(n), "name": "Author " + strconv.Itoa(n), "avatar": "https://cdn.example/avatars/" + strconv.Itoa(n) + ".png"}).
				Execute(); err != nil {
				return err
			}
		}
		for n := 1; n <= rows; n++ {
			text := strconv.Itoa(n)
			if _, err := tx.DB().NewQuery("insert into items (id, key, title, body, score, is_public, author) values ({:id}, {:key}, {:title}, {:body}, {:score}, {:public}, {:author})").
				Bind(map[string]any{"id": id(n), "key": n, "title": "Item " + text, "body": "words of item " + text + " words of item " + text + " words of item " + text + " words of item " + text + " words of item " + text + " words of item " + text + " words of item " + text + " words of item " + text,
					"score": n % 5000, "public": n%2 == 0, "author": id(1 + n%1000)}).
				Execute(); err != nil {
				return err
			}
		}
		return nil
	})
}

// PocketBase's ids have 15 characters.
func id(n int) string {
	text := strconv.Itoa(n)
	return "000000000000000"[:15-len(text)] + text
}
