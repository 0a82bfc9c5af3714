// Posts events by the CloudEvents Go SDK: `client URL structured|binary|batch < events.json`.
// Prints {"accepted": whether the server took them, "answer": what it answered, or why the SDK sent nothing}.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

type outcome struct {
	Accepted bool   `json:"accepted"`
	Answer   string `json:"answer"`
}

func main() {
	var posted []map[string]any
	if err := json.NewDecoder(os.Stdin).Decode(&posted); err != nil {
		log.Fatal(err)
	}
	var events []cloudevents.Event
	for _, attributes := range posted {
		event, err := eventOf(attributes)
		if err != nil {
			log.Fatal(err)
		}
		events = append(events, event)
	}
	result, err := post(os.Args[1], os.Args[2], events)
	if err != nil {
		result = outcome{false, "not sent: " + err.Error()}
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

// eventOf makes the event by the SDK's setters, as a program would.
func eventOf(attributes map[string]any) (cloudevents.Event, error) {
	event := cloudevents.NewEvent()
	for name, value := range attributes {
		switch name {
		case "specversion":
		case "id":
			event.SetID(value.(string))
		case "source":
			event.SetSource(value.(string))
		case "type":
			event.SetType(value.(string))
		case "subject":
			event.SetSubject(value.(string))
		case "time":
			moment, err := time.Parse(time.RFC3339Nano, value.(string))
			if err != nil {
				return event, err
			}
			event.SetTime(moment)
		case "data":
			if err := event.SetData(cloudevents.ApplicationJSON, value); err != nil {
				return event, err
			}
		default:
			event.SetExtension(name, value)
		}
	}
	return event, nil
}

func post(url, mode string, events []cloudevents.Event) (outcome, error) {
	switch mode {
	case "structured":
		return send(cloudevents.WithEncodingStructured(context.Background()), url, events[0])
	case "binary":
		return send(cloudevents.WithEncodingBinary(context.Background()), url, events[0])
	case "batch":
		return sendBatch(context.Background(), url, events)
	}
	return outcome{}, fmt.Errorf("no such mode: %s", mode)
}

// send posts by the SDK's client, which tells nothing of the body of a good answer.
func send(ctx context.Context, url string, event cloudevents.Event) (outcome, error) {
	client, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(url))
	if err != nil {
		return outcome{}, err
	}
	result := client.Send(ctx, event)
	if cloudevents.IsUndelivered(result) {
		return outcome{}, result
	}
	return outcome{cloudevents.IsACK(result), result.Error()}, nil
}

// sendBatch posts by a request of the SDK's: its client sends single events only.
func sendBatch(ctx context.Context, url string, events []cloudevents.Event) (outcome, error) {
	request, err := cehttp.NewHTTPRequestFromEvents(ctx, url, events)
	if err != nil {
		return outcome{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return outcome{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return outcome{response.StatusCode == http.StatusAccepted, string(body)}, err
}
