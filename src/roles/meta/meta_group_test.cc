// Three metas on Raft, with clocks, disks and links moved by hand.

#include <deque>
#include <set>

#include "raft/raft_node.h"
#include "roles/meta/meta_story.h"

namespace muster::meta {
namespace {

class Group {
public:
    // A meta on its machine. Its disk outlives its process.
    struct Host final : public raft::RaftTransport {
        Host(Group& group_of_it, std::string its_name)
            : group(group_of_it), name(std::move(its_name)) {}

        void send(const NodeId& to, std::string bytes) override {
            group.wire.push_back({NodeId(name), to, std::move(bytes)});
        }

        Group& group;
        std::string name;
        env::MemoryDisk disk;
        bool stopped = false;  // its process is not run
        bool cut = false;      // from the other metas
        std::unique_ptr<env::ManualTimers> raft_timers;
        std::unique_ptr<env::ManualTimers> timers;
        std::unique_ptr<raft::RaftNode> raft;
        Mailbox mail;
        std::unique_ptr<MetaServer> server;
    };
    struct Frame {
        NodeId from;
        NodeId to;
        std::string bytes;
    };

    Group() {
        for (const char* name : {"m1", "m2", "m3"}) {
            hosts.emplace(NodeId(name), std::make_unique<Host>(*this, name));
        }
        for (auto& [name, host] : hosts) {
            start(*host);
        }
        run(seconds(2));
    }

    void start(Host& host) {
        host.server.reset();
        host.mail.sent.clear();
        host.raft_timers = std::make_unique<env::ManualTimers>(clock);
        host.timers = std::make_unique<env::ManualTimers>(clock);
        host.raft = std::make_unique<raft::RaftNode>(
            raft::RaftNodeOptions{
                .cluster = 1,
                .bootstrap = raft::Membership{.voters = {NodeId("m1"), NodeId("m2"), NodeId("m3")}},
                .core = {.node = NodeId(host.name)}},
            raft::RaftNodeEnv{.disk = host.disk,
                              .timers = *host.raft_timers,
                              .transport = host,
                              .prng = Prng(++seed),
                              .log = {}});
        MetaOptions mine = options;
        mine.node = NodeId(host.name);
        host.server = std::make_unique<MetaServer>(
            mine, MetaEnv{.clock = clock, .timers = *host.timers, .outbox = host.mail, .log = {}},
            *host.raft);
        host.raft_timers->attach(*host.raft);
        host.timers->attach(*host.server);
        host.disk.attach(*host.raft);
        const auto report = host.server->start();
        ASSERT_TRUE(report.has_value()) << to_string(report.error());
    }

    void kill(Host& host) {
        host.disk.crash({});
        host.server.reset();
    }

    // Everything that can happen now; answers reach the nodes.
    void settle() {
        bool busy = true;
        while (busy) {
            busy = false;
            for (auto& [name, host] : hosts) {
                if (host->server != nullptr && !host->stopped) {
                    busy = host->disk.pump_all() + host->raft_timers->fire_due() +
                                   host->timers->fire_due() >
                               0 ||
                           busy;
                }
            }
            for (Frame& frame : std::exchange(wire, {})) {
                Host& to = *hosts.at(frame.to);
                const bool passes = !to.cut && !hosts.at(frame.from)->cut && to.server != nullptr;
                if (passes && to.stopped) {
                    wire.push_back(std::move(frame));
                } else if (passes) {
                    EXPECT_TRUE(to.raft->on_message(frame.bytes));
                    busy = true;
                }
            }
            for (FakeNode* node : nodes) {
                for (auto& [name, host] : hosts) {
                    for (const auto& message : std::exchange(host->mail.sent[node->who()], {})) {
                        heard_from[name] += 1;
                        if (const auto* reply = std::get_if<msg::NodeHeartbeatReply>(&message)) {
                            node->take(*reply);
                        }
                    }
                }
            }
        }
    }

    // Nodes speak to all metas every 250 ms.
    void run(Duration time) {
        for (Duration at = Duration::zero(); at < time; at += milliseconds(10)) {
            if (at % milliseconds(250) == Duration::zero()) {
                for (FakeNode* node : nodes) {
                    tell(node->who(), node->beat());
                }
            }
            clock.advance(milliseconds(10));
            settle();
        }
    }

    void tell(const msg::RoleAddress& from, const msg::ClusterMessage& message) {
        for (auto& [name, host] : hosts) {
            if (host->server != nullptr && !host->stopped) {
                host->server->on_message(from, message);
            }
        }
    }

    // Every meta's link to that node's process ends.
    void close_links_of(const std::string& node) {
        for (auto& [name, host] : hosts) {
            if (host->server != nullptr) {
                host->server->on_link(NodeId(node), msg::LinkEvent::closed);
            }
        }
    }

    // Null: none leads now.
    Host* leader() {
        Host* found = nullptr;
        for (auto& [name, host] : hosts) {
            if (host->server != nullptr && !host->stopped && !host->cut && host->server->ready()) {
                EXPECT_EQ(found, nullptr) << "two lead";
                found = host.get();
            }
        }
        return found;
    }

    // What the metas sent to who is not among the nodes.
    template <typename T>
    std::vector<T> taken(const msg::RoleAddress& who) {
        std::vector<T> all;
        for (auto& [name, host] : hosts) {
            for (const auto& message : std::exchange(host->mail.sent[who], {})) {
                if (const auto* one = std::get_if<T>(&message)) {
                    all.push_back(*one);
                }
            }
        }
        return all;
    }

    env::ManualClock clock;
    MetaOptions options;
    std::uint64_t seed = 0;
    std::map<NodeId, std::unique_ptr<Host>> hosts;
    std::deque<Frame> wire;
    std::vector<FakeNode*> nodes;
    std::map<NodeId, std::size_t> heard_from;
};

TEST(MetaGroup, OnlyTheLeaderAnswers) {
    Group group;
    FakeNode a("a", Role::data);
    FakeNode s("s", Role::session);
    group.nodes = {&a, &s};
    group.run(seconds(2));
    Group::Host* leader = group.leader();
    ASSERT_NE(leader, nullptr);
    EXPECT_EQ(a.led(), 256U);
    ASSERT_EQ(group.heard_from.size(), 1U);
    EXPECT_EQ(group.heard_from.begin()->first, NodeId(leader->name));
    const msg::RoleAddress other = Story::session("other");
    group.tell(other, msg::PutTurnRequest{Incarnation(1), 1});
    group.tell(other,
               msg::OperatorRequest{Incarnation(1), 1, msg::OperatorRequest::ReportCluster{}});
    group.run(milliseconds(100));
    std::size_t answers = 0;
    for (auto& [name, host] : group.hosts) {
        answers += host->mail.sent[other].size();
    }
    EXPECT_EQ(answers, 2U);
}

TEST(MetaGroup, ANewLeaderKnowsWhatWasAgreedAndTakesNobodyForDead) {
    Group group;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    FakeNode c("c", Role::data);
    FakeNode dead("dead", Role::session);
    group.nodes = {&a, &b, &c, &dead};
    group.run(seconds(8));
    group.nodes = {&a, &b, &c};
    group.run(seconds(4));
    ASSERT_EQ(a.phase_of("dead"), MemberPhase::dead);
    const Epoch table = a.table.epoch;
    const std::uint64_t members = a.members_epoch;
    const Version ceiling = a.ceiling;
    for (int round = 0; round < 3; ++round) {
        Group::Host& old = *group.leader();
        group.kill(old);
        group.run(seconds(2));
        ASSERT_NE(group.leader(), nullptr);
        group.start(old);
        group.run(seconds(5));
        EXPECT_EQ(a.table.epoch, table);
        EXPECT_EQ(a.members_epoch, members);
        EXPECT_GE(a.ceiling, ceiling);
    }
}

TEST(MetaGroup, PromotesFollowersWhenMetaLeaderAndDataNodeDieTogether) {
    Group group;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    FakeNode c("c", Role::data);
    group.nodes = {&a, &b, &c};
    group.run(seconds(8));
    ASSERT_GT(a.led(), 0U);
    group.nodes = {&b, &c};
    b.lost = {{NodeId("a")}};
    group.kill(*group.leader());
    group.close_links_of("a");
    group.run(seconds(2));
    EXPECT_EQ(b.phase_of("a"), MemberPhase::dead);
    for (const Slot& slot : b.table.slots) {
        EXPECT_NE(slot.leader, NodeId("a"));
    }
}

TEST(MetaGroup, EvictsNobodyWhenALeaderWasStopped) {
    Group group;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    group.nodes = {&a, &b};
    group.run(seconds(8));
    const Epoch table = a.table.epoch;
    const std::uint64_t members = a.members_epoch;
    Group::Host& old = *group.leader();
    old.stopped = true;
    group.run(seconds(20));
    ASSERT_NE(group.leader(), nullptr);
    old.stopped = false;
    group.run(seconds(5));
    EXPECT_EQ(a.table.epoch, table);
    EXPECT_EQ(a.members_epoch, members);
}

TEST(MetaGroup, ALeaderThatLeavesEndsWhenAnotherOneLeads) {
    Group group;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    group.nodes = {&a, &b};
    group.run(seconds(8));
    const Epoch table = a.table.epoch;
    for (int round = 0; round < 3; ++round) {
        Group::Host& old = *group.leader();
        int gone = 0;
        old.server->leave([&] {
            ++gone;
            EXPECT_FALSE(old.server->status().leads);
            EXPECT_NE(old.raft->status().leader, NodeId(old.name));
            EXPECT_NE(old.raft->status().leader, NodeId());
        });
        old.server->leave([] { ADD_FAILURE() << "called for another"; });
        EXPECT_EQ(gone, 0) << "never from within";
        group.settle();
        ASSERT_EQ(gone, 1);
        ASSERT_NE(group.leader(), nullptr);
        EXPECT_NE(group.leader(), &old);
        group.kill(old);
        group.run(seconds(2));
        group.start(old);
        group.run(seconds(5));
        EXPECT_EQ(a.table.epoch, table);
    }
}

TEST(MetaGroup, ALeaderThatNobodyCanSucceedEndsAllTheSame) {
    Group group;
    group.run(seconds(2));
    Group::Host& old = *group.leader();
    old.cut = true;
    bool gone = false;
    old.server->leave([&] { gone = true; });
    group.run(seconds(2));
    EXPECT_TRUE(gone);
}

TEST(MetaGroup, AFollowerLeavesAtOnce) {
    Group group;
    group.run(seconds(2));
    for (auto& [name, host] : group.hosts) {
        if (host.get() != group.leader()) {
            bool gone = false;
            host->server->leave([&] { gone = true; });
            group.settle();
            EXPECT_TRUE(gone) << name.raw();
        }
    }
}

TEST(MetaGroup, ALeaderThatIsCutOffEndsItsReignAndChangesNothing) {
    Group group;
    FakeNode a("a", Role::data);
    FakeNode s("s", Role::session);
    group.nodes = {&a, &s};
    group.run(seconds(2));
    const msg::RoleAddress other = Story::session("other");
    Group::Host& old = *group.leader();
    old.server->on_message(other, msg::PutTurnRequest{Incarnation(1), 1});
    const auto turn = group.taken<msg::PutTurnReply>(other);
    ASSERT_EQ(turn.size(), 1U);
    old.cut = true;
    old.server->on_message(
        other, msg::ConfigPut{Incarnation(1), 1, turn[0].turn, "key", "of the old leader"});
    old.server->on_message(
        other, msg::OperatorRequest{Incarnation(1), 2, msg::OperatorRequest::StopPlacement{}});
    group.run(seconds(3));
    EXPECT_FALSE(old.server->ready());
    const auto put = group.taken<msg::ConfigPutReply>(other);
    ASSERT_EQ(put.size(), 1U);
    EXPECT_EQ(put[0].result.error().code, Errc::timeout);
    // A change that the next leader admits is not overwritten by it.
    Group::Host& next = *group.leader();
    next.server->on_message(other, msg::PutTurnRequest{Incarnation(1), 3});
    const auto turns = group.taken<msg::PutTurnReply>(other);
    ASSERT_EQ(turns.size(), 1U);
    EXPECT_GT(turns[0].turn, turn[0].turn);
    group.tell(other, msg::ConfigPut{Incarnation(1), 3, turns[0].turn, "key", "new"});
    group.run(seconds(1));
    old.cut = false;
    group.run(seconds(3));
    for (auto& [name, host] : group.hosts) {
        EXPECT_EQ(host->server->status().placement, placement::Mode::automatic);
        EXPECT_EQ(host->server->status().config_keys, 1U);
    }
    group.tell(s.who(), msg::ConfigInterest{{{"key", Version()}}});
    group.nodes = {&a};
    group.settle();
    const auto told = group.taken<msg::ConfigValue>(s.who());
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(*told[0].value, "new");
}

TEST(MetaGroup, ReportsOnlyWhatIsStillTrue) {
    Group group;
    FakeNode a("a", Role::data);
    group.nodes = {&a};
    group.run(seconds(2));
    Group::Host& old = *group.leader();
    old.cut = true;
    const msg::RoleAddress other = Story::session("other");
    old.server->on_message(
        other, msg::OperatorRequest{Incarnation(1), 1, msg::OperatorRequest::ReportCluster{}});
    group.run(seconds(3));
    EXPECT_TRUE(group.taken<msg::OperatorReply>(other).empty());
    group.tell(other,
               msg::OperatorRequest{Incarnation(1), 1, msg::OperatorRequest::ReportCluster{}});
    group.run(seconds(1));
    const auto reply = group.taken<msg::OperatorReply>(other);
    ASSERT_EQ(reply.size(), 1U);
    ASSERT_TRUE(reply[0].report != nullptr);
    EXPECT_NE(reply[0].report->leader, NodeId(old.name));
    EXPECT_EQ(reply[0].report->members.size(), 1U);
}

// What no table may do to another, however it came about.
class TableWatch {
public:
    void look(const FakeNode& node) {
        for (std::size_t i = 0; i < node.table.slots.size(); ++i) {
            const Slot& slot = node.table.slots[i];
            const auto [known, is_new] = leaders_.try_emplace({i, slot.epoch}, slot.leader);
            ASSERT_EQ(known->second, slot.leader) << "two leaders of slot " << i;
            auto& [epoch, floor, ceiling] = latest_[i];
            if (slot.epoch > epoch) {
                ASSERT_TRUE(epoch == Epoch() || slot.floor >= ceiling) << "slot " << i;
                epoch = slot.epoch;
                floor = slot.floor;
            } else if (slot.epoch == epoch) {
                ASSERT_EQ(slot.floor, floor);
            }
            if (slot.leader == node.member.node && slot.epoch == epoch) {
                ceiling = std::max(ceiling, node.ceiling);  // it may give versions below this
            }
        }
    }

private:
    struct Latest {
        Epoch epoch;
        Version floor;
        Version ceiling;
    };
    std::map<std::pair<std::size_t, Epoch>, NodeId> leaders_;
    std::map<std::size_t, Latest> latest_;
};

// One drawn run: four data nodes and two sessions, things that happen to them and to the metas, and
// the calm after it.
class HostileRun {
public:
    explicit HostileRun(std::uint64_t run) : run_(run), prng_(run) {
        group_.seed = run * 1000;
        for (const char* name : {"a", "b", "c", "d"}) {
            all_.emplace_back(name, Role::data);
            all_.back().member.zone = prng_.chance(1, 2) ? "z1" : "z2";
        }
        all_.emplace_back("s", Role::session);
        all_.emplace_back("steady", Role::session);
    }

    void storm() {
        run_for(seconds(4));
        for (int event = 0; event < 25 && !testing::Test::HasFatalFailure(); ++event) {
            something_happens();
            run_for(milliseconds(prng_.between(0, 5) * 250));
        }
    }

    void calm() {
        for (auto& [name, host] : group_.hosts) {
            host->stopped = host->cut = false;
            if (host->server == nullptr) {
                group_.start(*host);
            }
        }
        away_.clear();
        for (FakeNode& node : all_) {
            node.follows_well = true;
            for (auto& [slot, state] : node.copies) {
                state.synced = true;
            }
        }
        run_for(seconds(20));
    }

    void check_at_rest() {
        Group::Host* leader = group_.leader();
        ASSERT_NE(leader, nullptr) << run_;
        const MetaStatus status = leader->server->status();
        EXPECT_EQ(status.slots_without_leader, 0U);
        EXPECT_EQ(status.moving, 0U) << run_;
        for (const MemberStatus& one : status.members) {
            EXPECT_EQ(one.member.phase, MemberPhase::live) << one.member.node.raw();
            if (one.member.role == Role::data) {
                EXPECT_GE(one.slots_led, 63U) << run_;
                EXPECT_LE(one.slots_led, 65U) << run_;
            }
        }
        for (const FakeNode& node : all_) {
            EXPECT_EQ(node.table, all_.front().table);
        }
    }

private:
    void run_for(Duration time) {
        group_.nodes.clear();
        for (std::size_t i = 0; i < all_.size(); ++i) {
            if (!away_.contains(i)) {
                group_.nodes.push_back(&all_[i]);
            }
        }
        for (; time > Duration::zero(); time -= milliseconds(250)) {
            group_.run(milliseconds(250));
            for (const FakeNode& node : all_) {
                watch_.look(node);
            }
            const FakeNode& steady = all_.back();
            ASSERT_NE(steady.phase_of("steady"), MemberPhase::dead) << run_;
            ASSERT_GE(steady.members_epoch, members_epoch_);
            members_epoch_ = steady.members_epoch;
        }
    }

    void something_happens() {
        const std::size_t who = prng_.below(all_.size() - 1);
        auto& host =
            *std::next(group_.hosts.begin(), static_cast<std::ptrdiff_t>(prng_.below(3)))->second;
        switch (prng_.below(9)) {
            case 0:  // its process ends
                if (away_.insert(who).second) {
                    group_.close_links_of(all_[who].member.node.raw());
                }
                break;
            case 1: away_.insert(who); break;  // cut off
            case 2: away_.erase(who); break;   // back as it was
            case 3:
                away_.erase(who);
                all_[who].restart(++life_);
                break;
            case 4: host.server != nullptr ? group_.kill(host) : group_.start(host); break;
            case 5: host.stopped = !host.stopped; break;
            case 6: host.cut = !host.cut; break;
            case 7: group_.clock.set_wall({.unix_ms = prng_.between(0, 2'000'000'000'000)}); break;
            default: all_[who].follows_well = prng_.chance(2, 3); break;
        }
    }

    std::uint64_t run_;
    Prng prng_;
    Group group_;
    TableWatch watch_;
    std::deque<FakeNode> all_;
    std::set<std::size_t> away_;
    std::uint64_t life_ = 1;
    std::uint64_t members_epoch_ = 0;
};

TEST(MetaGroup, KeepsItsPromisesWhateverDiesWhen) {
    // 234: a cut-off leader judged a process whose new life it could not agree on, without rest.
    for (const std::uint64_t number : {1, 2, 3, 4, 5, 6, 7, 8, 234}) {
        HostileRun run(number);
        run.storm();
        run.calm();
        ASSERT_FALSE(testing::Test::HasFatalFailure()) << "run " << number;
        run.check_at_rest();
    }
}

TEST(MetaGroup, VersionsStayAboveThoseOfEveryEarlierLeader) {
    Group group;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    group.nodes = {&a, &b};
    group.run(seconds(8));
    std::uint64_t life = 1;
    for (int round = 0; round < 6; ++round) {
        const SlotTable before = a.table;
        const Version ceiling = a.ceiling;
        Group::Host& old = *group.leader();
        group.kill(old);
        group.clock.set_wall({.unix_ms = 1000 * round});
        a.restart(++life);
        group.run(seconds(6));
        group.start(old);
        group.run(seconds(1));
        for (std::size_t i = 0; i < before.slots.size(); ++i) {
            const Slot& now = a.table.slots[i];
            if (now.epoch != before.slots[i].epoch) {
                ASSERT_GE(now.floor, ceiling);
            } else {
                ASSERT_EQ(now.leader, before.slots[i].leader);
            }
        }
    }
}

}  // namespace
}  // namespace muster::meta
