#include "roles/meta/meta.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "env/manual_time.h"
#include "env/memory_disk.h"
#include "raft/single_node.h"
#include "roles/meta/command_codec.h"

namespace muster::meta {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

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

    [[nodiscard]] Version now() const {
        return version_at(clock.wall());
    }

    env::ManualClock clock;
    env::MemoryDisk disk;
    Mailbox mail;
    MetaOptions options;
    std::unique_ptr<env::ManualTimers> consensus_timers;
    std::unique_ptr<env::ManualTimers> timers;
    std::unique_ptr<raft::SingleNode> consensus;
    std::unique_ptr<MetaServer> server;
};

class MetricNames final : public MetricsWriter {
public:
    void counter(std::string_view name, std::string_view, std::uint64_t value,
                 MetricLabels) override {
        add(name, static_cast<std::int64_t>(value));
    }
    void gauge(std::string_view name, std::string_view, std::int64_t value, MetricLabels) override {
        add(name, value);
    }
    void histogram(std::string_view name, std::string_view, const LatencyHistogram&,
                   MetricLabels) override {
        add(name, 0);
    }

    std::map<std::string, std::int64_t> values;

private:
    void add(std::string_view name, std::int64_t value) {
        EXPECT_TRUE(values.emplace(name, value).second) << name << " is told twice";
    }
};

bool has_table(const std::optional<msg::NodeHeartbeatReply>& reply) {
    return reply && reply->table.has_value();
}

// ---- first start

TEST(MetaServer, GivesTheFirstDataNodeEverySlot) {
    Story story;
    story.start_and_settle();
    EXPECT_TRUE(story.server->ready());
    const auto reply = story.heartbeat(Story::data(), 1);
    ASSERT_TRUE(has_table(reply));
    EXPECT_EQ(reply->incarnation, Incarnation(1));
    EXPECT_FALSE(reply->known_before);
    ASSERT_EQ(reply->table->slots.size(), 256U);
    for (const Slot& slot : reply->table->slots) {
        EXPECT_EQ(slot.leader, NodeId("data-1"));
        EXPECT_EQ(slot.epoch, Epoch(1));
        EXPECT_LT(slot.floor, reply->version_ceiling);
    }
    ASSERT_TRUE(reply->members.has_value());
    EXPECT_EQ(reply->members->size(), 1U);
}

TEST(MetaServer, IsReadyWithinAFewWritesOnAnEmptyFolder) {
    Story story;
    story.start();
    EXPECT_FALSE(story.server->ready());
    std::size_t writes = 0;
    while (!story.server->ready() && story.disk.pump_one()) {
        ++writes;
    }
    EXPECT_TRUE(story.server->ready());
    EXPECT_LE(writes, 2U);
}

TEST(MetaServer, TellsEverybodyAtOnceWhenTheTableChanges) {
    Story story;
    story.start_and_settle();
    const auto early = story.heartbeat(Story::session(), 1);
    ASSERT_TRUE(early.has_value());
    EXPECT_FALSE(early->table.has_value());
    story.say(Story::data(), 1);
    story.settle();
    const auto told = story.mail.last<msg::NodeHeartbeatReply>(Story::session());
    ASSERT_TRUE(has_table(told));
    ASSERT_TRUE(told->members.has_value());
    EXPECT_EQ(told->members->size(), 2U);
}

TEST(MetaServer, SendsBodiesOnlyWhenTheyAreNewer) {
    Story story;
    story.start_and_settle();
    const auto full = story.heartbeat(Story::data(), 1);
    ASSERT_TRUE(has_table(full));
    story.say(Story::data(), 1, full->table->epoch.raw(), full->members_epoch);
    story.settle();
    const auto slim = story.mail.last<msg::NodeHeartbeatReply>(Story::data());
    ASSERT_TRUE(slim.has_value());
    EXPECT_FALSE(slim->table.has_value());
    EXPECT_FALSE(slim->members.has_value());
    EXPECT_EQ(slim->members_epoch, full->members_epoch);
}

TEST(MetaServer, SaysNothingThatIsNotDurable) {
    Story story;
    story.start_and_settle();
    story.say(Story::data(), 1);
    story.timers->fire_due();
    EXPECT_TRUE(story.mail.sent[Story::data()].empty());
    EXPECT_GT(story.disk.queued(), 0U);
}

TEST(MetaServer, AnswersNoDataNodeBeforeItRaisedTheCeilingInThisLife) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(has_table(story.heartbeat(Story::data(), 1)));
    ASSERT_TRUE(story.heartbeat(Story::session(), 1).has_value());
    const Version before = story.server->status().ceiling;
    story.kill();

    story.start();
    story.disk.pump_one();  // the segment of the new term: it leads
    ASSERT_TRUE(story.server->status().leads);
    story.say(Story::data(), 1);
    story.say(Story::session(), 1);
    story.timers->fire_due();
    EXPECT_TRUE(story.mail.sent[Story::data()].empty());
    EXPECT_FALSE(story.mail.sent[Story::session()].empty());
    story.settle();
    const auto reply = story.mail.last<msg::NodeHeartbeatReply>(Story::data());
    ASSERT_TRUE(reply.has_value());
    EXPECT_GT(reply->version_ceiling, before);
}

// ---- versions

TEST(MetaServer, KeepsTheCeilingAheadOfTheClock) {
    Story story;
    story.start_and_settle();
    const std::uint64_t half = version_span(story.options.version_window) / 2;
    for (int minute = 0; minute < 10; ++minute) {
        story.pass(seconds(61));
        EXPECT_GE(story.server->status().ceiling.raw(), story.now().raw() + half - (half / 30));
        EXPECT_LE(story.server->status().ceiling.raw(), story.now().raw() + 3 * half);
    }
}

TEST(MetaServer, NeverLowersTheCeilingWhenTheClockIsSetBack) {
    Story story;
    story.start_and_settle();
    story.pass(seconds(120));
    const Version before = story.server->status().ceiling;
    story.clock.set_wall({.unix_ms = 1000});
    story.pass(seconds(120));
    EXPECT_EQ(story.server->status().ceiling, before);
    story.kill();
    story.start_and_settle();
    EXPECT_GT(story.server->status().ceiling, before);
    const auto reply = story.heartbeat(Story::data(), 1);
    ASSERT_TRUE(has_table(reply));
    EXPECT_GT(reply->version_ceiling, before);
}

TEST(MetaServer, PutsTheFloorAboveWhatAnEarlierLifeMayHaveGiven) {
    Story story;
    story.start_and_settle();
    const auto first = story.heartbeat(Story::data(), 1);
    ASSERT_TRUE(has_table(first));
    const auto second = story.heartbeat(Story::data(), 2);
    ASSERT_TRUE(has_table(second));
    EXPECT_GT(second->table->epoch, first->table->epoch);
    EXPECT_GT(second->version_ceiling, first->version_ceiling);
    for (const Slot& slot : second->table->slots) {
        EXPECT_GE(slot.floor, first->version_ceiling);
        EXPECT_LT(slot.floor, second->version_ceiling);
        EXPECT_EQ(slot.epoch, Epoch(2));
    }
    // The same life again, also to a new life of the meta: nothing moves.
    story.kill();
    story.start_and_settle();
    const auto same = story.heartbeat(Story::data(), 2);
    ASSERT_TRUE(has_table(same));
    EXPECT_EQ(*same->table, *second->table);
}

TEST(MetaServer, GivesGrowingFloorsWhateverDiesWhen) {
    Story story;
    Prng prng(7);
    Version highest;  // any version a data node may have given
    std::uint64_t life = 1;
    Version floor_before;
    story.start_and_settle();
    for (int round = 0; round < 300; ++round) {
        switch (prng.below(5)) {
            case 0: ++life; break;
            case 1:
                story.disk.crash({.operations = prng.below(3), .torn_bytes = prng.below(80)});
                story.start_and_settle();
                break;
            case 2: story.pass(seconds(prng.between(1, 50))); break;
            case 3: story.clock.set_wall({.unix_ms = prng.between(0, 2'000'000'000'000)}); break;
            default: story.say(Story::data(), life); break;
        }
        story.say(Story::data(), life);
        if (prng.chance(1, 2)) {
            continue;  // the meta may die while it writes
        }
        const Version before = highest;
        const auto reply = story.heartbeat(Story::data(), life);
        ASSERT_TRUE(has_table(reply)) << round;
        const Slot& slot = reply->table->slots[17];
        ASSERT_GE(reply->version_ceiling, before) << round;
        ASSERT_LT(slot.floor, reply->version_ceiling) << round;
        if (slot.floor != floor_before) {
            ASSERT_GE(slot.floor, before) << round;
        }
        floor_before = slot.floor;
        highest = reply->version_ceiling;
    }
}

// ---- members

TEST(MetaServer, SaysKnownBeforeOnceForAWholeLife) {
    struct Case {
        bool lived_before;
        bool meta_restarts;
    };
    for (const Case& one : {Case{false, false}, {false, true}, {true, false}, {true, true}}) {
        for (const auto& who : {Story::data(), Story::session()}) {
            Story story;
            story.start_and_settle();
            if (one.lived_before) {
                ASSERT_TRUE(story.heartbeat(who, 4).has_value());
            }
            for (int i = 0; i < 3; ++i) {
                const auto reply = story.heartbeat(who, 5);
                ASSERT_TRUE(reply.has_value());
                EXPECT_EQ(reply->known_before, one.lived_before);
                if (one.meta_restarts) {
                    story.kill();
                    story.start_and_settle();
                }
            }
        }
    }
}

TEST(MetaServer, TellsTheRolesOfOneNodeApart) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data("node"), 1).has_value());
    const auto reply = story.heartbeat(Story::session("node"), 2);
    ASSERT_TRUE(reply.has_value());
    EXPECT_FALSE(reply->known_before);
    EXPECT_EQ(story.server->status().members.size(), 2U);
}

TEST(MetaServer, IgnoresHeartbeatsOfAnEarlierLifeThatComeLate) {
    Story story;
    story.start_and_settle();
    const auto reply = story.heartbeat(Story::data(), 2);
    ASSERT_TRUE(has_table(reply));
    EXPECT_FALSE(story.heartbeat(Story::data(), 1).has_value());
    const auto again = story.heartbeat(Story::data(), 2);
    ASSERT_TRUE(has_table(again));
    EXPECT_EQ(*again->table, *reply->table);
    EXPECT_EQ(again->members_epoch, reply->members_epoch);
}

TEST(MetaServer, JoinsOnceHoweverOftenTheFirstHeartbeatComes) {
    Story story;
    story.start_and_settle();
    for (int i = 0; i < 50; ++i) {
        story.say(Story::data(), 1);
    }
    story.settle();
    EXPECT_EQ(story.server->status().members_epoch, 1U);
    EXPECT_EQ(story.server->status().table_epoch, Epoch(1));
}

TEST(MetaServer, ConvergesUnderLostDoubledAndReorderedHeartbeats) {
    Prng prng(3);
    for (int run = 0; run < 20; ++run) {
        Story story;
        story.start_and_settle();
        std::deque<std::pair<msg::RoleAddress, std::uint64_t>> on_the_way;
        for (std::uint64_t life = 1; life <= 4; ++life) {
            for (int i = 0; i < 10; ++i) {
                const auto who = prng.chance(1, 2) ? Story::data() : Story::session();
                on_the_way.emplace_back(who, life);
                on_the_way.emplace_back(who, life);
            }
        }
        while (!on_the_way.empty()) {
            const std::size_t at = prng.below(std::min<std::size_t>(on_the_way.size(), 20));
            if (prng.chance(2, 3)) {
                story.say(on_the_way[at].first, on_the_way[at].second);
            }
            if (prng.chance(1, 3)) {
                story.disk.pump_one();
                story.timers->fire_due();
            }
            on_the_way.erase(on_the_way.begin() + static_cast<std::ptrdiff_t>(at));
        }
        for (const auto& who : {Story::data(), Story::session()}) {
            const auto reply = story.heartbeat(who, 5);
            ASSERT_TRUE(has_table(reply));
            EXPECT_EQ(reply->incarnation, Incarnation(5));
        }
        EXPECT_EQ(story.server->status().members.size(), 2U);
        EXPECT_EQ(story.server->status().slots_without_leader, 0U);
    }
}

TEST(MetaServer, RefusesHeartbeatsThatAreNotTheirSendersOwn) {
    Story story;
    story.start_and_settle();
    const auto beat = [&](const msg::RoleAddress& from, Member member) {
        story.server->on_message(from, msg::NodeHeartbeat{.member = std::move(member)});
    };
    beat(Story::data(),
         {.node = NodeId("other"), .role = Role::data, .incarnation = Incarnation(1)});
    beat(Story::data(),
         {.node = NodeId("data-1"), .role = Role::session, .incarnation = Incarnation(1)});
    beat(Story::data(), {.node = NodeId("data-1"), .role = Role::data});
    const msg::RoleAddress meta{.node = NodeId("m"), .role = Role::meta};
    beat(meta, {.node = NodeId("m"), .role = Role::meta, .incarnation = Incarnation(1)});
    const std::string long_name(kNameBytesMax + 1, 'n');
    beat(Story::data(long_name),
         {.node = NodeId(long_name), .role = Role::data, .incarnation = Incarnation(1)});
    story.server->on_message(Story::data(), msg::ChangeBatch{});
    story.say(Story::data(), 1, UINT64_MAX, UINT64_MAX);
    story.settle();
    EXPECT_TRUE(story.server->status().members.empty());
}

TEST(MetaServer, HearsAndAdmitsABoundedNumberOfNodes) {
    Story story;
    story.start();  // does not lead yet
    for (std::size_t i = 0; i < kMembersMax + 100; ++i) {
        story.say(Story::session("s" + std::to_string(i)), 1);
    }
    story.settle();
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < kMembersMax + 100; ++i) {
            story.say(Story::session("s" + std::to_string(i)), 1);
        }
        story.settle();
    }
    EXPECT_EQ(story.server->status().members.size(), kMembersMax);
    MetricNames metrics;
    story.server->write_metrics(metrics);
    EXPECT_GE(metrics.values.at("muster_meta_refused_messages_total"), 300);
}

TEST(MetaServer, HealsEpochsWhenItsFolderWasLost) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data(), 1).has_value());
    story.say(Story::data(), 1, 500, 300);
    story.settle();
    story.say(Story::data(), 1, 500, 300);
    story.settle();
    const auto reply = story.mail.last<msg::NodeHeartbeatReply>(Story::data());
    ASSERT_TRUE(has_table(reply));
    EXPECT_GT(reply->table->epoch, Epoch(500));
    EXPECT_GT(reply->members_epoch, 300U);
}

// ---- leases and placement

TEST(MetaServer, LeavesTheSlotsOfTheOnlyDataNodeWhereTheyAreWhenItDies) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data(), 1).has_value());
    const Epoch epoch = story.server->status().table_epoch;
    story.pass(seconds(30));
    const MetaStatus status = story.server->status();
    EXPECT_FALSE(status.members.at(0).live);
    EXPECT_GE(status.members.at(0).silent_for, seconds(29));
    EXPECT_EQ(status.members.at(0).slots_led, 256U);
    EXPECT_EQ(status.table_epoch, epoch);
}

TEST(MetaServer, MovesTheSlotsOfADeadDataNodeToALivingOneAboveTheCeiling) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data("a"), 1).has_value());
    const auto shared = story.heartbeat(Story::data("b"), 1);
    ASSERT_TRUE(has_table(shared));
    EXPECT_EQ(story.server->status().members.at(0).slots_led, 128U);
    for (int i = 0; i < 20; ++i) {
        story.say(Story::data("b"), 1);
        story.pass(milliseconds(250));
    }
    const auto reply = story.heartbeat(Story::data("b"), 1);
    ASSERT_TRUE(has_table(reply));
    for (std::size_t i = 0; i < 256; ++i) {
        EXPECT_EQ(reply->table->slots[i].leader, NodeId("b"));
        if (shared->table->slots[i].leader == NodeId("a")) {
            EXPECT_GE(reply->table->slots[i].floor, shared->version_ceiling);
        }
    }
}

TEST(MetaServer, TakesNobodyForDeadBeforeItListenedForALease) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data("a"), 1).has_value());
    ASSERT_TRUE(story.heartbeat(Story::data("b"), 1).has_value());
    story.kill();
    story.pass(Duration::zero());
    story.start_and_settle();
    const Epoch epoch = story.server->status().table_epoch;
    for (int i = 0; i < 10; ++i) {
        story.say(Story::data("a"), 1);
        story.pass(milliseconds(250));
        EXPECT_EQ(story.server->status().table_epoch, epoch);
    }
}

TEST(MetaServer, GivesEverybodyANewLeaseAfterItWasStopped) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data("a"), 1).has_value());
    ASSERT_TRUE(story.heartbeat(Story::data("b"), 1).has_value());
    const Epoch epoch = story.server->status().table_epoch;
    story.clock.advance(seconds(60));
    story.say(Story::data("a"), 1);
    story.settle();
    EXPECT_EQ(story.server->status().table_epoch, epoch);
    EXPECT_TRUE(story.server->status().members.at(1).live);
}

// ---- for operators

TEST(MetaServer, TellsOperatorsHowItIs) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data(), 1).has_value());
    ASSERT_TRUE(story.heartbeat(Story::session(), 1).has_value());
    story.server->on_message(Story::data(), msg::ChangeBatch{});
    MetricNames metrics;
    story.server->write_metrics(metrics);
    story.consensus->write_metrics(metrics);
    EXPECT_EQ(metrics.values.at("muster_meta_members_live"), 2);
    EXPECT_EQ(metrics.values.at("muster_meta_slots_without_leader"), 0);
    EXPECT_EQ(metrics.values.at("muster_meta_refused_messages_total"), 1);
    EXPECT_EQ(metrics.values.at("muster_meta_joins_total"), 2);
    EXPECT_EQ(metrics.values.at("muster_raft_leader"), 1);
    const MetaStatus status = story.server->status();
    EXPECT_TRUE(status.ready);
    EXPECT_EQ(status.slots, 256U);
    EXPECT_EQ(status.members.at(0).member.role, Role::data);
    EXPECT_EQ(status.members.at(0).silent_for, Duration::zero());
    EXPECT_GT(status.consensus.log_bytes, 0U);
}

// ---- configuration

class ConfigStory : public Story {
public:
    ConfigStory() {
        start_and_settle();
        EXPECT_TRUE(heartbeat(session(), 1).has_value());
        mail.sent.clear();
    }

    std::optional<msg::PutTurn> turn(const msg::RoleAddress& who = session()) {
        server->on_message(who, msg::PutTurnRequest{Incarnation(1), 1});
        const auto reply = mail.last<msg::PutTurnReply>(who);
        return reply ? std::optional(reply->turn) : std::nullopt;
    }

    Result<Version> put(std::uint64_t request, const std::string& key,
                        std::optional<std::string> value) {
        return put_in(turn().value_or(msg::PutTurn{}), request, key, std::move(value));
    }

    Result<Version> put_in(const msg::PutTurn& its_turn, std::uint64_t request,
                           const std::string& key, std::optional<std::string> value) {
        server->on_message(
            session(), msg::ConfigPut{Incarnation(1), request, its_turn, key, std::move(value)});
        settle();
        const auto reply = mail.last<msg::ConfigPutReply>(session());
        if (!reply || reply->request != request) {
            return fail(Errc::timeout, "no answer");
        }
        return reply->result;
    }

    std::optional<msg::ConfigValue> watch(const msg::RoleAddress& who, const std::string& key,
                                          Version held = {}) {
        server->on_message(who, msg::ConfigInterest{{{key, held}}});
        settle();
        return mail.last<msg::ConfigValue>(who);
    }
};

TEST(MetaServerConfig, TellsWatchersOfEveryChangeUnderGrowingVersions) {
    ConfigStory story;
    ASSERT_TRUE(story.heartbeat(Story::session("other"), 1).has_value());
    const auto never_set = story.watch(Story::session("other"), "key");
    ASSERT_TRUE(never_set.has_value());
    EXPECT_EQ(never_set->version, Version());
    EXPECT_EQ(never_set->value, nullptr);

    Version last;
    for (const std::optional<std::string>& value :
         {std::optional<std::string>("one"), std::optional<std::string>("two"),
          std::optional<std::string>(), std::optional<std::string>("three")}) {
        story.clock.set_wall({.unix_ms = 1'000'000'000});
        const auto version = story.put(last.raw() + 1, "key", value);
        ASSERT_TRUE(version.has_value());
        EXPECT_GT(*version, last);
        const auto told = story.mail.last<msg::ConfigValue>(Story::session("other"));
        ASSERT_TRUE(told.has_value());
        EXPECT_EQ(told->version, *version);
        EXPECT_EQ(told->value != nullptr, value.has_value());
        if (value) {
            EXPECT_EQ(*told->value, *value);
        }
        last = *version;
    }
}

TEST(MetaServerConfig, AnswersInterestOnlyWithWhatIsNewer) {
    ConfigStory story;
    const auto version = story.put(1, "key", "value");
    ASSERT_TRUE(version.has_value());
    ASSERT_TRUE(story.watch(Story::session(), "key").has_value());
    EXPECT_FALSE(story.watch(Story::session(), "key", *version).has_value());
    ASSERT_TRUE(story.put(2, "key", std::nullopt).has_value());
    const auto cleared = story.watch(Story::session(), "key", *version);
    ASSERT_TRUE(cleared.has_value());
    EXPECT_EQ(cleared->value, nullptr);
    EXPECT_GT(cleared->version, *version);
}

TEST(MetaServerConfig, KeepsValuesAndVersionsAcrossRestartsWithTheClockSetBack) {
    ConfigStory story;
    const auto version = story.put(1, "key", "value");
    ASSERT_TRUE(version.has_value());
    ASSERT_TRUE(story.put(2, "gone", "x").has_value());
    const auto cleared = story.put(3, "gone", std::nullopt);
    ASSERT_TRUE(cleared.has_value());
    story.kill();
    story.clock.set_wall({.unix_ms = 5});
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::session(), 1).has_value());
    const auto told = story.watch(Story::session(), "key");
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->version, *version);
    EXPECT_EQ(*told->value, "value");
    const auto again = story.put(4, "gone", "y");
    ASSERT_TRUE(again.has_value());
    EXPECT_GT(*again, *cleared);
}

TEST(MetaServerConfig, CarriesADoubledPutOutOnceEvenAfterAnother) {
    ConfigStory story;
    const auto early = story.turn();
    ASSERT_TRUE(early.has_value());
    const auto first = story.put_in(*early, 1, "key", "one");
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(story.put_in(*early, 1, "key", "one"), first);
    const auto second = story.put(2, "key", "two");
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(story.put_in(*early, 1, "key", "one").error().code, Errc::conflict);
    EXPECT_EQ(*story.watch(Story::session(), "key")->value, "two");
    // A new life counts its requests anew: it is not answered for an earlier one.
    EXPECT_GT(story.put(1, "key", "one").value(), *second);
}

TEST(MetaServerConfig, RefusesAPutThatANewerOneOvertookWhoeverSentIt) {
    ConfigStory story;
    ASSERT_TRUE(story.heartbeat(Story::session("other"), 1).has_value());
    const auto late = story.turn(Story::session("other"));
    ASSERT_TRUE(late.has_value());
    ASSERT_TRUE(story.put(1, "key", "newer").has_value());
    // The same value again, and a key that was never set, count as changes too.
    ASSERT_TRUE(story.put(2, "never set", std::nullopt).has_value());
    EXPECT_EQ(story.put_in(*late, 3, "key", "older").error().code, Errc::conflict);
    EXPECT_EQ(story.put_in(*late, 4, "never set", "older").error().code, Errc::conflict);
    EXPECT_EQ(*story.watch(Story::session(), "key")->value, "newer");
    EXPECT_TRUE(story.put_in(*late, 5, "another key", "x").has_value());
}

TEST(MetaServerConfig, RefusesPutsOfAnEarlierLife) {
    ConfigStory story;
    const auto early = story.turn();
    ASSERT_TRUE(early.has_value());
    story.kill();
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::session(), 1).has_value());
    ASSERT_TRUE(story.turn().has_value());
    EXPECT_EQ(story.put_in(*early, 1, "key", "older").error().code, Errc::conflict);
    EXPECT_TRUE(story.put(2, "key", "newer").has_value());
}

TEST(MetaServerConfig, RefusesWhatIsOverItsLimitsWithAReason) {
    ConfigStory story;
    EXPECT_EQ(story.put(1, "", "x").error().code, Errc::invalid_argument);
    EXPECT_EQ(story.put(2, std::string(kConfigKeyBytesMax + 1, 'k'), "x").error().code,
              Errc::invalid_argument);
    EXPECT_EQ(story.put(3, "k", std::string(kConfigValueBytesMax + 1, 'v')).error().code,
              Errc::too_large);
    EXPECT_TRUE(story.put(4, "k", std::string(kConfigValueBytesMax, 'v')).has_value());
    story.kill();
    story.start();
    story.mail.sent.clear();
    for (const msg::ClusterMessage& message :
         {msg::ClusterMessage(msg::ConfigPut{Incarnation(1), 5, {}, "k", "v"}),
          msg::ClusterMessage(msg::PutTurnRequest{Incarnation(1), 5})}) {
        story.mail.sent.clear();
        story.server->on_message(Story::session(), message);
        const auto reply = story.mail.last<msg::ConfigPutReply>(Story::session());
        ASSERT_TRUE(reply.has_value());
        EXPECT_EQ(reply->result.error().code, Errc::not_ready);
    }
}

TEST(MetaServerConfig, TellsThePutterWhenTheDiskFails) {
    ConfigStory story;
    story.pass(seconds(1));
    story.mail.sent.clear();
    story.disk.fail_next(1, {Errc::io_error, "no space left"});
    EXPECT_EQ(story.put(1, "key", "value").error().code, Errc::io_error);
    EXPECT_FALSE(story.server->ready());
    story.pass(seconds(2));
    EXPECT_TRUE(story.server->ready());
    EXPECT_TRUE(story.put(1, "key", "value").has_value());
}

}  // namespace
}  // namespace muster::meta
