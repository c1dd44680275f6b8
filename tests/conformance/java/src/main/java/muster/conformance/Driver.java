package muster.conformance;

import com.alipay.sofa.registry.client.api.Configurator;
import com.alipay.sofa.registry.client.api.Publisher;
import com.alipay.sofa.registry.client.api.Register;
import com.alipay.sofa.registry.client.api.Subscriber;
import com.alipay.sofa.registry.client.api.model.UserData;
import com.alipay.sofa.registry.client.api.registration.ConfiguratorRegistration;
import com.alipay.sofa.registry.client.api.registration.PublisherRegistration;
import com.alipay.sofa.registry.client.api.registration.SubscriberRegistration;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClient;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClientConfigBuilder;
import com.alipay.sofa.registry.core.model.ScopeEnum;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * One JVM with one registry client, steered line by line.
 *
 * <p>Each line of standard input is a JSON object with "cmd" and "id"; each is answered, in order,
 * by a line {"reply": id, ...} or {"reply": id, "error": text}. Between the answers stand events:
 * {"event": "data" | "config", "name": the registration, "at": ms since 1970, ...}, one for every
 * call of an observer. The process ends with its standard input.
 */
public final class Driver {
    private static final Gson JSON = new GsonBuilder().serializeNulls().create();

    private final PrintStream out;
    private final Map<String, Register> registrations = new HashMap<>();
    private DefaultRegistryClient client;

    private Driver(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] args) throws IOException {
        PrintStream out = System.out;
        System.setOut(System.err); // nothing that a library prints may come between the lines
        new Driver(out).run(
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
        System.exit(0); // the client's threads are not daemons, and it cannot be closed
    }

    private void run(BufferedReader in) throws IOException {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonObject command = JsonParser.parseString(line).getAsJsonObject();
            JsonObject reply = new JsonObject();
            reply.add("reply", command.get("id"));
            try {
                carryOut(command, reply);
            } catch (RuntimeException e) {
                reply.addProperty("error", e.toString());
            }
            say(reply);
        }
    }

    private void carryOut(JsonObject command, JsonObject reply) {
        switch (text(command, "cmd")) {
            case "open" -> open(command);
            case "publish" -> publish(command);
            case "republish" -> publisher(command).republish(boxes(command));
            case "republish_many" -> republishMany(command);
            case "subscribe" -> subscribe(command);
            case "configure" -> configure(command);
            case "unregister" -> registration(command).unregister();
            case "view" -> view(command, reply);
            default -> throw new IllegalArgumentException("unknown command " + command);
        }
    }

    private void open(JsonObject command) {
        DefaultRegistryClientConfigBuilder builder =
                DefaultRegistryClientConfigBuilder.start()
                        .setAppName("conformance")
                        .setDataCenter("DefaultDataCenter")
                        .setZone(text(command, "zone"))
                        .setRegistryEndpoint("127.0.0.1")
                        .setRegistryEndpointPort(command.get("port").getAsInt());
        if (command.has("sync_config_ms")) {
            builder.setSyncConfigRetryInterval(command.get("sync_config_ms").getAsInt());
        }
        client = new DefaultRegistryClient(builder.build());
        if (command.has("server_entry")) {
            client.setServerManager(new FixedServer(text(command, "server_entry")));
        }
        client.init();
    }

    private void publish(JsonObject command) {
        PublisherRegistration registration = new PublisherRegistration(text(command, "data_id"));
        if (command.has("group")) {
            registration.setGroup(text(command, "group"));
        }
        registrations.put(text(command, "name"), client.register(registration, boxes(command)));
    }

    /** Without a pause: prefix0, prefix1, ... one box each. */
    private void republishMany(JsonObject command) {
        Publisher publisher = publisher(command);
        int times = command.get("times").getAsInt();
        for (int i = 0; i < times; ++i) {
            publisher.republish(text(command, "prefix") + i);
        }
    }

    private void subscribe(JsonObject command) {
        String name = text(command, "name");
        SubscriberRegistration registration =
                new SubscriberRegistration(
                        text(command, "data_id"), (dataId, data) -> say(dataEvent(name, data)));
        registration.setScopeEnum(ScopeEnum.valueOf(text(command, "scope")));
        if (command.has("group")) {
            registration.setGroup(text(command, "group"));
        }
        registrations.put(name, client.register(registration));
    }

    private void configure(JsonObject command) {
        String name = text(command, "name");
        ConfiguratorRegistration registration =
                new ConfiguratorRegistration(
                        text(command, "data_id"),
                        (dataId, data) -> {
                            JsonObject event = event("config", name);
                            event.addProperty("value", data.getData());
                            say(event);
                        });
        registrations.put(name, client.register(registration));
    }

    /** What the client holds now, and whether it believes itself registered. */
    private void view(JsonObject command, JsonObject reply) {
        Register registration = registration(command);
        reply.addProperty("registered", registration.isRegistered());
        reply.addProperty("regist_id", registration.getRegistId());
        if (registration instanceof Subscriber subscriber) {
            addData(reply, subscriber.peekData());
        } else if (registration instanceof Configurator configurator) {
            reply.addProperty("value", configurator.peekData().getData());
        }
    }

    private static JsonObject dataEvent(String name, UserData data) {
        JsonObject event = event("data", name);
        addData(event, data);
        return event;
    }

    private static JsonObject event(String kind, String name) {
        JsonObject event = new JsonObject();
        event.addProperty("event", kind);
        event.addProperty("name", name);
        event.addProperty("at", System.currentTimeMillis());
        event.addProperty("order", System.nanoTime());
        return event;
    }

    private static void addData(JsonObject target, UserData data) {
        target.add("zones", JSON.toJsonTree(data.getZoneData()));
        target.addProperty("local_zone", data.getLocalZone());
    }

    private Register registration(JsonObject command) {
        Register found = registrations.get(text(command, "name"));
        if (found == null) {
            throw new IllegalArgumentException("no registration " + command);
        }
        return found;
    }

    private Publisher publisher(JsonObject command) {
        return (Publisher) registration(command);
    }

    /** Null when the command names none; single boxes may be null. */
    private static String[] boxes(JsonObject command) {
        JsonElement boxes = command.get("boxes");
        return boxes == null || boxes == JsonNull.INSTANCE
                ? null
                : JSON.fromJson(boxes, String[].class);
    }

    private static String text(JsonObject command, String key) {
        return command.get(key).getAsString();
    }

    /** One line of pure ASCII, so that lone surrogates survive; observers come on many threads. */
    private void say(JsonObject line) {
        String json = JSON.toJson(line);
        StringBuilder ascii = new StringBuilder(json.length() + 1);
        for (int i = 0; i < json.length(); ++i) {
            char unit = json.charAt(i);
            if (unit < 0x7f) {
                ascii.append(unit);
            } else {
                ascii.append(String.format("\\u%04x", (int) unit));
            }
        }
        byte[] bytes = ascii.append('\n').toString().getBytes(StandardCharsets.US_ASCII);
        synchronized (out) {
            out.write(bytes, 0, bytes.length);
            out.flush();
        }
    }
}
