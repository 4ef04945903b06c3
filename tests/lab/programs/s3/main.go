// Copyright (c) 2026, longshore contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Command s3 is an object store that speaks S3 and forgets all of it when it ends: for one login, whose signature it
// verifies, with the buckets that it is told of. With a certificate it speaks TLS.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

func main() {
	address := flag.String("address", "127.0.0.1:9000", "where it listens")
	buckets := flag.String("buckets", "images", "their names, with commas")
	certificate := flag.String("certificate", "", "a PEM file of the certificate and its key")
	flag.Parse()
	store := s3mem.New()
	for _, bucket := range strings.Split(*buckets, ",") {
		if err := store.CreateBucket(context.Background(), bucket); err != nil {
			log.Fatal(err)
		}
	}
	login := map[string]string{os.Getenv("S3_ACCESS_KEY"): os.Getenv("S3_SECRET_KEY")}
	handler := gofakes3.New(store, gofakes3.WithV4Auth(login), gofakes3.WithoutVersioning()).Server()
	if *certificate == "" {
		log.Fatal(http.ListenAndServe(*address, handler))
	}
	log.Fatal(http.ListenAndServeTLS(*address, *certificate, *certificate, handler))
}
