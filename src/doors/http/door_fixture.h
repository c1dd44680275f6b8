#pragma once

// What the door's tests stand on: a door over a fake network, clock, timers and session, all under
// the test's hands. Only for tests.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "doors/http/http_door.h"

namespace muster::http {

// Time that stands still until a test moves it. Owned by DoorTest.
class FakeClock final : public env::Clock {
public:
    [[nodiscard]] MonoTime mono() const override {
        return now;
    }
    [[nodiscard]] WallTime wall() const override {
        return {784111777000 + to_ms(now.time_since_epoch())};
    }
    MonoTime now;
};

// The door's timers, fired by advance(). Owned by DoorTest; its clock outlives it.
class FakeTimers final : public env::Timers {
public:
    explicit FakeTimers(FakeClock& clock) : clock_(clock) {}
    void arm(env::TimerKey key, Duration delay) override {
        due_[key] = clock_.now + delay;
    }
    void cancel(env::TimerKey key) override {
        due_.erase(key);
    }
    // Lets `by` pass, firing what falls due in its order.
    void advance(Duration by, env::TimerTarget& target) {
        const MonoTime end = clock_.now + by;
        for (;;) {
            auto next = due_.end();
            for (auto at = due_.begin(); at != due_.end(); ++at) {
                if (at->second <= end && (next == due_.end() || at->second < next->second)) {
                    next = at;
                }
            }
            if (next == due_.end()) {
                break;
            }
            const env::TimerKey key = next->first;
            clock_.now = std::max(clock_.now, next->second);
            due_.erase(next);
            target.on_timer(key);
        }
        clock_.now = end;
    }
    [[nodiscard]] std::size_t armed() const {
        return due_.size();
    }

private:
    FakeClock& clock_;
    std::map<env::TimerKey, MonoTime> due_;
};

// Keeps what was sent to each connection, and refuses to listen on port 1. Owned by DoorTest.
class FakeNet final : public env::Net {
public:
    struct Peer {
        std::string sent;
        bool closed = false;
        bool congested = false;
    };

    Result<env::ListenerId> listen(const env::SocketAddress& at,
                                   env::ConnectionHandler& /*handler*/) override {
        if (at.port == 1) {
            return fail(Errc::address_in_use, "127.0.0.1:1");
        }
        return env::ListenerId(1);
    }
    [[nodiscard]] env::SocketAddress local_address(env::ListenerId /*listener*/) const override {
        return {.ip = "127.0.0.1", .port = 9603};
    }
    void stop_listening(env::ListenerId /*listener*/) override {}
    env::ConnId dial(const env::SocketAddress& /*to*/,
                     env::ConnectionHandler& /*handler*/) override {
        return {};
    }
    void send(env::ConnId conn, std::string bytes) override {
        EXPECT_FALSE(peers[conn].closed) << "sent after close: " << bytes;
        peers[conn].sent += bytes;
    }
    void send(env::ConnId conn, std::string head, SharedBytes body, std::string tail) override {
        send(conn, std::move(head) + *body + std::move(tail));
    }
    [[nodiscard]] bool congested(env::ConnId conn) const override {
        const auto at = peers.find(conn);
        return at != peers.end() && at->second.congested;
    }
    [[nodiscard]] std::size_t queued_bytes(env::ConnId /*conn*/) const override {
        return 0;
    }
    void close(env::ConnId conn) override {
        peers[conn].closed = true;
    }

    std::map<env::ConnId, Peer> peers;
};

// Records what it is told and answers as told to. Fails the test when it is called from within its
// own calls to the door.
class FakeSession final : public session::ClientFace, public session::QueryFace {
public:
    void on_client_open(env::ConnId conn, session::ClientInfo info, msg::ClientPort& port) override;
    void on_client_message(env::ConnId conn, const msg::ClientMessage& message) override;
    void on_client_drained(env::ConnId conn) override;
    void on_client_closed(env::ConnId conn) override;
    [[nodiscard]] const std::string& center() const override {
        return center_;
    }
    [[nodiscard]] std::vector<std::string> server_list() const override {
        return {"10.0.0.1:9600", "10.0.0.2:9600"};
    }
    [[nodiscard]] session::SessionStatus status() const override {
        return state;
    }
    [[nodiscard]] std::vector<session::ServerLoad> server_loads() const override {
        return {{"10.0.0.1:9600", 7}, {"10.0.0.2:9600", 1'000'000'000'000}};
    }
    [[nodiscard]] std::vector<session::SubscriberInfo> subscribers_of(
        const Service& service) const override;
    [[nodiscard]] std::vector<session::FlappingInstance> flapping(
        std::size_t limit) const override {
        return {flapping_now.begin(), flapping_now.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                 limit, flapping_now.size()))};
    }
    [[nodiscard]] Result<void> admit_query(const std::string& address,
                                           const std::string& tenant) override {
        EXPECT_FALSE(calling_);
        asking.emplace_back(address, tenant);
        return admission;
    }
    void query_services(std::uint64_t token, const msg::ListServices& query,
                        session::QueryPort& port) override;
    void put_config(std::uint64_t token, const Service& key, std::optional<std::string> value,
                    session::QueryPort& port) override;

    // Shows that list to its subscribers, now and when they come.
    void show(ServiceViewPtr view);

    // The messages of one kind, in order.
    template <typename T>
    [[nodiscard]] std::vector<T> told() const {
        std::vector<T> of_kind;
        for (const auto& message : messages) {
            if (const auto* found = std::get_if<T>(&message)) {
                of_kind.push_back(*found);
            }
        }
        return of_kind;
    }

    session::SessionStatus state{.ready = true, .settled = true, .connections = 7};
    std::vector<session::FlappingInstance> flapping_now;
    Result<void> outcome;                                     // of every request
    Result<void> admission;                                   // of every query
    std::vector<std::pair<std::string, std::string>> asking;  // address and tenant of each
    bool answers = true;                                      // otherwise nothing is answered
    std::vector<msg::ClientMessage> messages;
    std::map<env::ConnId, session::ClientInfo> clients;
    std::vector<env::ConnId> drained;
    std::vector<msg::ListServices> queries;
    std::map<std::string, std::string> config;
    std::size_t subscribed() const {
        return subscriptions_.size();
    }

private:
    template <typename Call>
    void call(Call port_call);
    void push(env::ConnId conn, const Subscription& subscription, const ServiceViewPtr& view);
    void reply(env::ConnId conn, msg::RequestId request, std::vector<RegistId> ids);

    std::string center_{kDefaultCenter};
    msg::ClientPort* port_ = nullptr;
    bool calling_ = false;
    std::map<std::string, ServiceViewPtr> views_;
    std::map<std::pair<env::ConnId, RegistId>, Subscription> subscriptions_;
};

// Records what it is asked and answers it at once when told to. Owned by DoorTest.
class FakeCluster final : public ClusterFace {
public:
    void ask_cluster(std::uint64_t token, msg::OperatorRequest::What what,
                     ClusterPort& port) override {
        asked.push_back(std::move(what));
        tokens.push_back(token);
        port_ = &port;
    }
    void ask_brake(std::uint64_t token, BrakeWish wish, ClusterPort& port) override {
        wishes.push_back(std::move(wish));
        tokens.push_back(token);
        port_ = &port;
    }
    void ask_verify(std::uint64_t token, ClusterPort& port) override {
        ++verifications;
        tokens.push_back(token);
        port_ = &port;
    }
    void ask_propagation(std::uint64_t token, propagation::Question wish,
                         ClusterPort& port) override {
        propagations.push_back(std::move(wish));
        tokens.push_back(token);
        port_ = &port;
    }
    void ask_mark(std::uint64_t token, propagation::DrainWish wish, ClusterPort& port) override {
        marks.push_back(std::move(wish));
        tokens.push_back(token);
        port_ = &port;
    }
    void answer(const Result<propagation::DrainReport>& report) {
        port_->on_marked(tokens.back(), report);
    }
    void ask_history(std::uint64_t token, propagation::HistoryQuestion question,
                     ClusterPort& port) override {
        histories.push_back(std::move(question));
        tokens.push_back(token);
        port_ = &port;
    }
    void answer(const Result<propagation::HistoryReport>& report) {
        port_->on_history(tokens.back(), report);
    }
    void answer(const Result<propagation::Report>& report) {
        port_->on_propagation(tokens.back(), report);
    }
    void answer(const Result<verify::Report>& report) {
        port_->on_verify(tokens.back(), report);
    }
    void answer(const BrakeOutcome& outcome) {
        port_->on_brake(tokens.back(), outcome);
    }
    // The answer to what was asked last.
    void answer(const ClusterAnswer& answer) {
        port_->on_cluster(tokens.back(), answer);
    }

    std::vector<msg::OperatorRequest::What> asked;
    std::vector<BrakeWish> wishes;
    std::size_t verifications = 0;
    std::vector<propagation::Question> propagations;
    std::vector<propagation::DrainWish> marks;
    std::vector<propagation::HistoryQuestion> histories;
    std::vector<std::uint64_t> tokens;

private:
    ClusterPort* port_ = nullptr;
};

struct Reply {
    int status = 0;
    std::string head;
    std::string body;
};

// A door and all around it.
class DoorTest : public testing::Test {
protected:
    explicit DoorTest(HttpDoorOptions options = {}) {
        door = std::make_unique<HttpDoor>(
            std::move(options), HttpDoorEnv{net, clock, timers, session, session, &cluster});
    }

    // A new client.
    env::ConnId connect();
    void send(env::ConnId conn, std::string_view bytes) {
        door->on_bytes(conn, bytes);
    }
    // What was sent to it since the last take.
    std::string take(env::ConnId conn) {
        return std::exchange(net.peers[conn].sent, {});
    }
    // One whole answer of a connection; status 0 when there is none.
    Reply take_answer(env::ConnId conn);
    // A request on a connection of its own.
    Reply ask(std::string_view method, std::string_view target, std::string_view body = {});
    static std::string request(std::string_view method, std::string_view target,
                               std::string_view body = {}, std::string_view headers = {});
    void advance(Duration by) {
        timers.advance(by, *door);
    }
    [[nodiscard]] std::string metrics();

    FakeClock clock;
    FakeTimers timers{clock};
    FakeNet net;
    FakeSession session;
    FakeCluster cluster;
    std::unique_ptr<HttpDoor> door;
    std::uint64_t last_conn = 0;
};

// A list of "orders" with one instance for each box.
[[nodiscard]] ServiceViewPtr orders(std::uint64_t version, std::vector<std::string> boxes,
                                    bool complete = true);

// The path of that service, with `rest` behind it.
[[nodiscard]] std::string orders_path(std::string_view rest);

}  // namespace muster::http
