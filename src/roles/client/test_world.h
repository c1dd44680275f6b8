#pragma once

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "roles/client/apply_push.h"
#include "roles/client/client.h"

// One ClientRole in virtual time with a link that records: the story-teller of the tests.
namespace muster::client::test {

using namespace std::chrono_literals;

// Clock and timers of one role; the test moves them. Owned by World.
class FakeTime final : public env::Clock, public env::Timers {
public:
    MonoTime mono() const override {
        return now_;
    }
    WallTime wall() const override {
        return {.unix_ms = 1'700'000'000'000 + wall_offset_ms_ + to_ms(now_.time_since_epoch())};
    }
    void arm(env::TimerKey key, Duration delay) override {
        armed_[key] = now_ + std::max(delay, Duration{});
    }
    void cancel(env::TimerKey key) override {
        armed_.erase(key);
    }

    // Fires what is due within `span`, in order of time, then of key.
    void advance(Duration span, env::TimerTarget& target) {
        const MonoTime end = now_ + span;
        while (true) {
            auto next = armed_.end();
            for (auto it = armed_.begin(); it != armed_.end(); ++it) {
                if (it->second <= end && (next == armed_.end() || it->second < next->second)) {
                    next = it;
                }
            }
            if (next == armed_.end()) {
                break;
            }
            now_ = next->second;
            const env::TimerKey key = next->first;
            armed_.erase(next);
            target.on_timer(key);
        }
        now_ = end;
    }
    void jump_wall(std::int64_t ms) {
        wall_offset_ms_ += ms;
    }

private:
    MonoTime now_{1h};
    std::int64_t wall_offset_ms_ = 0;
    std::map<env::TimerKey, MonoTime> armed_;
};

// Remembers what the role wants of its link. Owned by World.
class FakeLink final : public ClientLink {
public:
    struct Connect {
        LinkId link;
        std::string server;
    };
    struct Sent {
        LinkId link;
        msg::ClientMessage message;
    };
    void connect(LinkId link, const std::string& server) override {
        connects.push_back({link, server});
    }
    void send(LinkId link, msg::ClientMessage message) override {
        sent.push_back({link, std::move(message)});
    }
    void send_heartbeat(LinkId link) override {
        heartbeats.push_back(link);
    }
    void disconnect(LinkId link) override {
        disconnects.push_back(link);
    }

    std::vector<Connect> connects;
    std::vector<Sent> sent;
    std::vector<LinkId> heartbeats;
    std::vector<LinkId> disconnects;
};

// Remembers what the role tells. Owned by World.
class Recorder final : public ClientObserver {
public:
    struct Registered {
        RegistId id;
        std::int64_t version = 0;
        Result<void> result;
    };
    void on_list(const ListKey& /*key*/, const ListState& list) override {
        lists.push_back(list);
    }
    void on_config(const Service& /*key*/, const ConfigState& config) override {
        configs.push_back(config);
    }
    void on_state(ClientState state, const std::string& /*server*/) override {
        states.push_back(state);
    }
    void on_registered(const RegistId& id, std::int64_t version,
                       const Result<void>& result) override {
        registered.push_back({id, version, result});
    }

    std::vector<ListState> lists;
    std::vector<ConfigState> configs;
    std::vector<ClientState> states;
    std::vector<Registered> registered;
};

// Keeps the newest value of each metric.
class CountingWriter final : public MetricsWriter {
public:
    void counter(std::string_view name, std::string_view /*help*/, std::uint64_t value,
                 MetricLabels /*labels*/) override {
        values[std::string(name)] = static_cast<std::int64_t>(value);
    }
    void gauge(std::string_view name, std::string_view /*help*/, std::int64_t value,
               MetricLabels /*labels*/) override {
        values[std::string(name)] = value;
    }
    void histogram(std::string_view /*name*/, std::string_view /*help*/,
                   const HistogramView& /*histogram*/, MetricLabels /*labels*/) override {}

    std::map<std::string, std::int64_t> values;
};

inline Service orders() {
    return {.data_id = "orders"};
}

inline ListKey orders_list() {
    return {.service = orders(), .scope = Scope::data_center, .zone = "a"};
}

inline PublicationPtr publication(const std::string& id, std::int64_t version = 1) {
    Publication made{.id = RegistId(id),
                     .service = std::make_shared<const Service>(orders()),
                     .order = {.version = version, .timestamp_ms = 1}};
    made.boxes = {id + ":1?v=" + std::to_string(version)};
    return std::make_shared<const Publication>(std::move(made));
}

inline std::vector<PublicationPtr> publications(const std::vector<std::string>& ids) {
    std::vector<PublicationPtr> made;
    for (const auto& id : ids) {
        made.push_back(publication(id));
    }
    return made;
}

struct ViewSpec {
    std::uint64_t version = 0;
    std::vector<std::string> ids;
    bool complete = true;
};

inline std::shared_ptr<ServiceView> view(const ViewSpec& spec) {
    auto made = std::make_shared<ServiceView>();
    made->service = std::make_shared<const Service>(orders());
    made->version = Version(spec.version);
    made->complete = spec.complete;
    made->publications = publications(spec.ids);
    made->digest = digest_of_list(made->publications);
    return made;
}

inline msg::Push full(const ViewSpec& spec, const RegistId& subscriber = RegistId("c-1")) {
    return {
        .view = view(spec), .scope = Scope::data_center, .zone = "a", .subscribers = {subscriber}};
}

// The step from version `from` to the list of `spec`.
struct DeltaSpec {
    std::uint64_t from = 0;
    std::vector<std::string> upserts;
    std::vector<std::string> removals;
};

inline msg::Push delta(const ViewSpec& spec, const DeltaSpec& step,
                       const RegistId& subscriber = RegistId("c-1")) {
    msg::Push push = full(spec, subscriber);
    ViewDelta made{.from = Version(step.from), .to = Version(spec.version)};
    made.upserts = publications(step.upserts);
    for (const auto& id : step.removals) {
        made.removals.push_back(RegistId(id));
    }
    push.delta = std::make_shared<const ViewDelta>(std::move(made));
    // What the wire gives.
    auto bare = std::make_shared<ServiceView>(*push.view);
    bare->publications.clear();
    push.view = std::move(bare);
    return push;
}

inline std::vector<std::string> ids_of(const ServiceViewPtr& list) {
    std::vector<std::string> ids;
    if (list != nullptr) {
        for (const auto& each : list->publications) {
            ids.push_back(each->id.raw());
        }
    }
    return ids;
}

using Ids = std::vector<std::string>;

// A client that is alone with its link, and the verbs of the stories. Owned by a test.
class World {
public:
    explicit World(ClientOptions options = {})
        : role_(prepare(std::move(options)), {.clock = time,
                                              .timers = time,
                                              .link = link,
                                              .observer = seen,
                                              .prng = Prng(7),
                                              .log = {}}) {}

    static ClientOptions prepare(ClientOptions options) {
        options.id_prefix = "c";
        options.zone = "a";
        if (options.servers.empty()) {
            options.servers = {"s:1"};
        }
        return options;
    }

    ClientRole& role() {
        return role_;
    }
    void advance(Duration span) {
        time.advance(span, role_);
    }
    LinkId current() const {
        return link.connects.back().link;
    }
    // Starts, and lets the first connection come up.
    void connect() {
        role_.start();
        role_.on_link_up(current());
    }
    // The connection breaks and the next one comes up.
    void reconnect() {
        role_.on_link_down(current(), {.code = Errc::closed});
        await_connect();
        role_.on_link_up(current());
    }
    void await_connect() {
        const std::size_t before = link.connects.size();
        for (int i = 0; i < 1000 && link.connects.size() == before; ++i) {
            advance(10ms);
        }
        ASSERT_GT(link.connects.size(), before);
    }

    RegistId publish(const std::string& box) {
        auto id = role_.register_publication({.service = orders(), .boxes = {box}});
        EXPECT_TRUE(id.has_value());
        return id.value_or(RegistId());
    }

    // All messages of one kind sent since the last call of take<T>() or clear().
    template <typename T>
    std::vector<T> take() {
        std::vector<T> taken;
        std::erase_if(link.sent, [&](FakeLink::Sent& each) {
            if (auto* body = std::get_if<T>(&each.message)) {
                taken.push_back(std::move(*body));
                return true;
            }
            return false;
        });
        return taken;
    }
    template <typename T>
    T take_one() {
        auto taken = take<T>();
        EXPECT_EQ(taken.size(), 1U);
        return taken.empty() ? T{} : std::move(taken.front());
    }

    // Answers with the same result for every item.
    void answer(const msg::RegisterPublishers& request, const Result<void>& result = {}) {
        msg::RequestReply reply{.request = request.request};
        for (const auto& each : request.publications) {
            reply.outcomes.push_back(
                {.id = each->id, .version = each->order.version, .result = result});
        }
        role_.on_reply(current(), reply);
    }
    template <typename Request>
    void answer(const Request& request, const Result<void>& result = {}) {
        msg::RequestReply reply{.request = request.request};
        if constexpr (requires { request.watch; }) {
            reply.outcomes.push_back({.id = request.watch.id, .result = result});
        } else if constexpr (std::is_same_v<Request, msg::Subscribe>) {
            for (const auto& item : request.items) {
                reply.outcomes.push_back({.id = item.subscription.id, .result = result});
            }
        } else {
            for (const auto& item : request.items) {
                reply.outcomes.push_back({.id = item.id, .result = result});
            }
        }
        role_.on_reply(current(), reply);
    }
    std::int64_t metric(const std::string& name) {
        CountingWriter writer;
        role_.write_metrics(writer);
        return writer.values.at("muster_client_" + name);
    }

    FakeTime time;
    FakeLink link;
    Recorder seen;

private:
    ClientRole role_;
};

}  // namespace muster::client::test
