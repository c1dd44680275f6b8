#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "env/manual_time.h"
#include "env/memory_disk.h"
#include "raft/single_node.h"
#include "roles/meta/command_codec.h"
#include "roles/meta/meta.h"

// One meta, its nodes and operators, with time and disk moved by hand. For tests.
namespace muster::meta {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What the server sent, by receiver. Owned by a story.
class Mailbox final : public msg::Outbox {
public:
    void send(const msg::RoleAddress& to, msg::ClusterMessage message) override {
        sent[to].push_back(std::move(message));
    }

    // The last message of that type to `to`; taken out with all before it.
    template <typename T>
    std::optional<T> last(const msg::RoleAddress& to) {
        std::optional<T> found;
        for (const msg::ClusterMessage& message : sent[to]) {
            if (const auto* one = std::get_if<T>(&message)) {
                found = *one;
            }
        }
        sent[to].clear();
        return found;
    }

    std::map<msg::RoleAddress, std::vector<msg::ClusterMessage>> sent;
};

// A node that does as it is told: it takes tables, and its copies become synced unless they shall
// not.
class FakeNode {
public:
    FakeNode(const std::string& name, Role role, std::uint64_t life = 1) {
        member = {.node = NodeId(name),
                  .role = role,
                  .address = "127.0.0.1:9620",
                  .incarnation = Incarnation(life),
                  .peer_address = "127.0.0.1:9700",
                  .folder = 77};
    }

    [[nodiscard]] msg::RoleAddress who() const {
        return {.node = member.node, .role = member.role};
    }

    [[nodiscard]] msg::NodeHeartbeat beat() const {
        msg::NodeHeartbeat heartbeat{.member = member,
                                     .table_epoch = table.epoch,
                                     .members_epoch = members_epoch,
                                     .lost = lost,
                                     .publications = publications,
                                     .removals = removals,
                                     .brakes = brakes,
                                     .clients = clients,
                                     .client_capacity = capacity,
                                     .loads_version = loads.version};
        if (member.role == Role::data) {
            heartbeat.copies_whole = true;
            for (const auto& [slot, state] : copies) {
                heartbeat.copies.push_back(state);
            }
        }
        return heartbeat;
    }

    void take(const msg::NodeHeartbeatReply& reply) {
        if (reply.incarnation != member.incarnation) {
            return;  // for an earlier life
        }
        ++replies;
        braking = reply.braking;
        ceiling = std::max(ceiling, reply.version_ceiling);
        if (reply.loads) {
            loads = *reply.loads;
            ++loads_told;
        }
        if (reply.members) {
            members = *reply.members;
            members_epoch = reply.members_epoch;
        }
        if (!reply.table || reply.table->epoch <= table.epoch) {
            return;
        }
        const SlotTable before = std::exchange(table, *reply.table);
        for (std::size_t i = 0; i < table.slots.size(); ++i) {
            const Slot& slot = table.slots[i];
            const SlotId id(static_cast<std::uint16_t>(i));
            const bool follows =
                std::ranges::find(slot.followers, member.node) != slot.followers.end();
            if (slot.leader != member.node && !follows) {
                copies.erase(id);
            } else if (follows_well || slot.leader == member.node) {
                copies[id] = {.slot = id, .held = {slot.epoch, number}, .synced = true};
            } else {
                copies[id] = {.slot = id, .held = {slot.epoch, 0}, .synced = false};
            }
        }
    }

    // Its process began anew, with nothing.
    void restart(std::uint64_t life) {
        member.incarnation = Incarnation(life);
        table = {};
        members = {};
        members_epoch = 0;
        copies.clear();
        lost.clear();
    }

    [[nodiscard]] std::size_t led() const {
        return static_cast<std::size_t>(std::ranges::count_if(
            table.slots, [&](const Slot& slot) { return slot.leader == member.node; }));
    }

    [[nodiscard]] std::optional<MemberPhase> phase_of(const std::string& name) const {
        for (const Member& one : members) {
            if (one.node == NodeId(name)) {
                return one.phase;
            }
        }
        return std::nullopt;
    }

    Member member;
    SlotTable table;
    std::uint64_t members_epoch = 0;
    std::vector<Member> members;
    std::map<SlotId, msg::CopyState> copies;
    std::vector<msg::NodeHeartbeat::Lost> lost;
    Version ceiling;
    std::uint64_t number = 1;  // of the positions its copies are at
    std::uint64_t publications = 0;
    std::uint64_t removals = 0;
    std::vector<msg::BrakeLine> brakes;
    std::string braking;  // as it was told
    std::uint64_t clients = 0;
    std::uint64_t capacity = 0;
    msg::ClientLoads loads;
    std::size_t loads_told = 0;
    bool follows_well = true;
    std::size_t replies = 0;
};

// One meta with its disk and its clocks, and the nodes that talk to it.
class Story {
public:
    Story() {
        options.node = NodeId("meta-1");
    }

    void start() {
        server.reset();
        consensus_timers = std::make_unique<env::ManualTimers>(clock);
        timers = std::make_unique<env::ManualTimers>(clock);
        consensus = std::make_unique<raft::SingleNode>(
            raft::SingleNodeOptions{.node = options.node},
            raft::SingleNodeEnv{.disk = disk, .timers = *consensus_timers, .log = {}});
        server = std::make_unique<MetaServer>(
            options, MetaEnv{.clock = clock, .timers = *timers, .outbox = mail, .log = {}},
            *consensus);
        consensus_timers->attach(*consensus);
        timers->attach(*server);
        disk.attach(*consensus);
        const auto report = server->start();
        ASSERT_TRUE(report.has_value()) << to_string(report.error());
    }

    // Data nodes that hold a table at rest, three copies each.
    void settle_cluster(std::initializer_list<FakeNode*> nodes) {
        start_and_settle();
        live(nodes, seconds(8));
    }

    void start_and_settle() {
        start();
        settle();
    }

    void kill() {
        disk.crash({});
        server.reset();
        mail.sent.clear();
    }

    void settle() {
        while (disk.pump_all() + consensus_timers->fire_due() + timers->fire_due() > 0) {
        }
    }

    // Without anybody speaking.
    void pass(Duration time) {
        for (Duration step = milliseconds(250); time > Duration::zero(); time -= step) {
            clock.advance(std::min(step, time));
            settle();
        }
    }

    static msg::RoleAddress data(const std::string& name = "data-1") {
        return {.node = NodeId(name), .role = Role::data};
    }
    static msg::RoleAddress session(const std::string& name = "session-1") {
        return {.node = NodeId(name), .role = Role::session};
    }

    void say(const msg::RoleAddress& who, std::uint64_t life, std::uint64_t table_epoch = 0,
             std::uint64_t members_epoch = 0) {
        server->on_message(who, msg::NodeHeartbeat{.member = {.node = who.node,
                                                              .role = who.role,
                                                              .address = "127.0.0.1:9620",
                                                              .incarnation = Incarnation(life)},
                                                   .table_epoch = Epoch(table_epoch),
                                                   .members_epoch = members_epoch});
    }

    // Says it until the meta has nothing more to decide, and returns the last answer.
    std::optional<msg::NodeHeartbeatReply> heartbeat(const msg::RoleAddress& who,
                                                     std::uint64_t life) {
        mail.sent[who].clear();
        say(who, life);
        settle();
        say(who, life);
        settle();
        return mail.last<msg::NodeHeartbeatReply>(who);
    }

    // The node speaks and takes what it is told.
    void beat(FakeNode& node) {
        server->on_message(node.who(), node.beat());
        settle();
        deliver(node);
    }

    void deliver(FakeNode& node) {
        for (const msg::ClusterMessage& message : std::exchange(mail.sent[node.who()], {})) {
            if (const auto* reply = std::get_if<msg::NodeHeartbeatReply>(&message)) {
                node.take(*reply);
            }
        }
    }

    // For so long these nodes live on.
    void live(std::initializer_list<FakeNode*> nodes, Duration time) {
        for (Duration at = Duration::zero(); at < time; at += milliseconds(250)) {
            for (FakeNode* node : nodes) {
                beat(*node);
            }
            pass(milliseconds(250));
            for (FakeNode* node : nodes) {
                deliver(*node);
            }
        }
    }

    template <typename What>
    std::optional<msg::OperatorReply> ask(What what, const msg::RoleAddress& from = session()) {
        mail.sent[from].clear();
        server->on_message(from, msg::OperatorRequest{Incarnation(1), ++requests, what});
        settle();
        return mail.last<msg::OperatorReply>(from);
    }

    std::optional<msg::BrakeReply> ask_brake(msg::BrakeRequest request) {
        const msg::RoleAddress from{NodeId("operator"), Role::session};
        mail.sent[from].clear();
        request.request = ++requests;
        server->on_message(from, request);
        settle();
        return mail.last<msg::BrakeReply>(from);
    }

    [[nodiscard]] Version now() const {
        return version_at(clock.wall());
    }

    std::uint64_t requests = 0;
    env::ManualClock clock;
    env::MemoryDisk disk;
    Mailbox mail;
    MetaOptions options;
    std::unique_ptr<env::ManualTimers> consensus_timers;
    std::unique_ptr<env::ManualTimers> timers;
    std::unique_ptr<raft::SingleNode> consensus;
    std::unique_ptr<MetaServer> server;
};

// The names of metrics a server writes. Owned by a test.
class MetricNames final : public MetricsWriter {
public:
    void counter(std::string_view name, std::string_view, std::uint64_t value,
                 MetricLabels) override {
        add(name, static_cast<std::int64_t>(value));
    }
    void gauge(std::string_view name, std::string_view, std::int64_t value, MetricLabels) override {
        add(name, value);
    }
    void histogram(std::string_view name, std::string_view, const HistogramView&,
                   MetricLabels) override {
        add(name, 0);
    }

    std::map<std::string, std::int64_t> values;

private:
    void add(std::string_view name, std::int64_t value) {
        EXPECT_TRUE(values.emplace(name, value).second) << name << " is told twice";
    }
};

inline bool has_table(const std::optional<msg::NodeHeartbeatReply>& reply) {
    return reply && reply->table.has_value();
}

}  // namespace muster::meta
