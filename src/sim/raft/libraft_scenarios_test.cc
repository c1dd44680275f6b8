#include <map>
#include <tuple>
#include <utility>

#include "raft/record_log.h"
#include "sim/raft/scenario.h"

// What broke other implementations of Raft: each of these ended a process, lost a write or left a
// group without a leader in libraft 0.15 to 0.22 under the same faults.
namespace muster::raft::swarm {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool is_last_part(const Message& message) {
    const auto* chunk = std::get_if<SnapshotChunk>(&message.body);
    return chunk != nullptr && chunk->offset + chunk->bytes.size() == chunk->total;
}

class RaftKnownDefect : public RaftScenario {
protected:
    const RaftCore& core(std::size_t host) const {
        return group->node(host).core();
    }
    std::size_t other_than(std::size_t a, std::size_t b) const {
        return 3 - a - b;
    }
    bool campaigns(std::size_t host) const {
        return core(host).role() == ConsensusRole::candidate;
    }
    // A group of three whose log does not reach back to what `host` has; it is cut off still.
    std::size_t begin_with_one_far_behind() {
        begin();
        const std::size_t host = follower();
        group->isolate(host);
        write(300);
        converge_without(host);
        return host;
    }
    // As far as the last part, which is kept from it.
    void receive_all_but_the_last_part(std::size_t host) {
        bool nearly = false;
        group->filter = [this, host, &nearly](const Message& message) {
            nearly = nearly || (is_last_part(message) && message.to == Cluster::id_of(host));
            return !is_last_part(message);
        };
        group->heal_network();
        ASSERT_TRUE(group->run_until([&] { return nearly; }, seconds(10)));
        group->run_for(milliseconds(20));
        group->filter = nullptr;
        ASSERT_EQ(group->metric(host, "muster_raft_snapshots_installed_total"), 0);
    }
};

// Refusals carried the asker's own term: the node with the best log and the lowest term asked for
// ever for a term the other one had left behind, and nobody else could win.
TEST_F(RaftKnownDefect, PreVoteDoesNotLockOutTheBestLogThatHasTheLowestTerm) {
    begin();
    write(3);
    converge();
    const std::size_t first = leader();
    const std::size_t best = (first + 1) % 3;
    const std::size_t ahead = (first + 2) % 3;
    const Term past = core(first).term();
    // One asks for term after term and is never elected; the others hear of none of them.
    group->crash(first);
    group->filter = [&](const Message& message) {
        const auto* vote = std::get_if<VoteRequest>(&message.body);
        return vote == nullptr || (vote->pre && message.from == Cluster::id_of(ahead));
    };
    ASSERT_TRUE(
        group->run_until([&] { return core(ahead).term().raw() >= past.raw() + 4; }, seconds(120)));
    ASSERT_EQ(core(best).term(), past);
    // Without it the group goes on, in a lower term.
    group->isolate(ahead);
    group->filter = [&](const Message& message) {
        return !std::holds_alternative<VoteRequest>(message.body) ||
               message.from == Cluster::id_of(first);
    };
    group->start(first);
    write(5);
    converge_without(ahead);
    ASSERT_EQ(group->leader(), first);
    ASSERT_LT(core(best).term(), core(ahead).term());
    ASSERT_GT(core(best).log().last(), core(ahead).log().last());
    // And now there are these two, and no leader whose heartbeat would tell the term.
    group->crash(first);
    group->filter = nullptr;
    group->heal_network();
    ASSERT_TRUE(group->run_until([&] { return group->leader() == best; }, seconds(30)));
    write(2);
    group->start(first);
    converge();
    EXPECT_EQ(group->oracle().order().size(), 10U);
}

// The answer to a part went to "the leader", whom a candidate does not have.
TEST_F(RaftKnownDefect, TheLastPartOfASnapshotArrivesAtACandidate) {
    const std::size_t host = begin_with_one_far_behind();
    receive_all_but_the_last_part(host);
    const std::size_t lead = leader();
    group->cut(lead, host);
    ASSERT_TRUE(group->run_until([&] { return campaigns(host); }, seconds(5)));
    // Parts only, so that it is no heartbeat that makes a follower of it again.
    std::size_t parts = 0;
    group->filter = [&](const Message& message) {
        parts += std::holds_alternative<SnapshotChunk>(message.body) ? 1 : 0;
        return !std::holds_alternative<AppendRequest>(message.body) ||
               message.to != Cluster::id_of(host);
    };
    group->heal_network();
    ASSERT_TRUE(group->run_until([&] { return parts > 0 && !campaigns(host); }, seconds(5)));
    EXPECT_EQ(core(host).leader(), Cluster::id_of(lead));
    group->filter = nullptr;
    write(3);
    converge();
    EXPECT_EQ(group->metric(host, "muster_raft_snapshots_installed_total"), 1);
    EXPECT_EQ(group->applied_commands(host), 303U);
}

// The disk reports the snapshot when its node has no leader to tell.
TEST_F(RaftKnownDefect, ASnapshotBecomesDurableWhileItsNodeIsACandidate) {
    const std::size_t host = begin_with_one_far_behind();
    std::size_t lead = leader();
    // Nothing after the snapshot: whoever has it can be elected.
    const auto ends_with_snapshot = [&] {
        return core(lead).snapshot().index == core(lead).log().last();
    };
    for (int i = 0; i < 200 && !ends_with_snapshot(); ++i) {
        write(1);
        group->run_for(milliseconds(50));
    }
    ASSERT_TRUE(ends_with_snapshot());
    const std::size_t written = group->oracle().order().size();
    const std::size_t other = other_than(host, lead);
    group->disk_weather(host) = {.delay_min = milliseconds(700), .delay_max = milliseconds(700)};
    group->heal_network();
    const auto taken = [&] { return core(host).applied() == core(lead).log().last(); };
    ASSERT_TRUE(group->run_until(taken, seconds(10)));
    ASSERT_LT(core(host).durable(), core(host).applied());
    group->crash(lead);
    group->filter = [&](const Message& message) {
        return !std::holds_alternative<VoteRequest>(message.body) ||
               message.from != Cluster::id_of(other);
    };
    const Term past = core(host).term();
    ASSERT_TRUE(
        group->run_until([&] { return campaigns(host) && core(host).term() > past; }, seconds(5)));
    ASSERT_LT(core(host).durable(), core(host).applied());
    ASSERT_TRUE(group->run_until(
        [&] { return core(host).durable() == core(host).applied() || !campaigns(host); },
        seconds(5)));
    EXPECT_TRUE(campaigns(host));
    // Elected with it.
    group->disk_weather(host) = {};
    ASSERT_TRUE(group->run_until([&] { return group->leader() == host; }, seconds(60)));
    group->filter = nullptr;
    write(3);
    group->start(lead);
    converge();
    EXPECT_EQ(group->oracle().order().size(), written + 3);
}

// What one leader began to send is forgotten with its term: its last part comes late, and the next
// one's snapshot is an older one.
TEST_F(RaftKnownDefect, ANewTermComesBeforeTheLastPartOfASnapshot) {
    const std::size_t host = begin_with_one_far_behind();
    const std::size_t old = leader();
    const std::size_t other = other_than(host, old);
    // For want of space it takes a snapshot out of turn; from then on at other places.
    group->disk_weather(other).full = true;
    (void)group->propose(old);
    group->run_for(milliseconds(300));
    group->disk_weather(other).full = false;
    group->run_for(seconds(2));
    const auto older = [&] { return core(other).snapshot().index < core(old).snapshot().index; };
    for (int i = 0; i < 200 && !older(); ++i) {
        write(1);
        group->run_for(milliseconds(300));
    }
    converge_without(host);
    ASSERT_TRUE(older());
    ASSERT_EQ(leader(), old);
    const std::size_t written = group->oracle().order().size();
    receive_all_but_the_last_part(host);
    // The last part leaves, and is on its way for a long time.
    bool left = false;
    group->filter = [&](const Message& message) {
        const bool it = is_last_part(message) && message.to == Cluster::id_of(host);
        return it && !std::exchange(left, true);
    };
    group->network() = {.delay_min = seconds(8), .delay_max = seconds(8)};
    ASSERT_TRUE(group->run_until([&] { return left; }, milliseconds(400)));
    group->network() = {};
    const MonoTime arrival = group->now() + seconds(8);
    const Term past = core(old).term();
    const LogIndex begun = core(old).snapshot().index;
    group->crash(old);
    // The other one leads with the vote of this one; its parts are kept back.
    group->filter = [](const Message& message) {
        return !std::holds_alternative<SnapshotChunk>(message.body);
    };
    ASSERT_EQ(leader_in_name(seconds(7)), other);
    const auto heard = [&] { return core(host).leader() == Cluster::id_of(other); };
    ASSERT_TRUE(group->run_until(heard, seconds(1)));
    ASSERT_GT(core(host).term(), past);
    ASSERT_LT(group->now(), arrival);
    group->run_for(arrival - group->now() + milliseconds(50));
    EXPECT_EQ(group->metric(host, "muster_raft_snapshots_installed_total"), 0);
    EXPECT_LT(core(other).snapshot().index, begun);
    group->filter = nullptr;
    converge_without(old);
    write(3);
    group->start(old);
    converge();
    group->crash(other);  // it votes and counts
    write(3);
    converge_without(other);
    EXPECT_EQ(group->applied_commands(host), written + 6);
}

// Replies that overtook each other made a leader take a follower's log for shorter than it had
// said, and end by an assertion.
TEST_F(RaftKnownDefect, StronglyReorderedAndDoubledMessagesLoseNothing) {
    ClusterOptions options = three();
    options.hosts = options.voters = 5;
    begin(options);
    group->network() = {.delay_min = microseconds(100),
                        .delay_max = milliseconds(250),
                        .lost_per_mille = 20,
                        .doubled_per_mille = 500};
    // What a leader believes of a follower is durable there, and never falls in a reign.
    std::map<std::tuple<Term, NodeId, std::uint64_t>, LogIndex> believed;
    const auto look = [&] {
        for (std::size_t host = 0; host < group->hosts(); ++host) {
            if (!group->up(host) || core(host).role() != ConsensusRole::leader) {
                continue;
            }
            for (const auto& [node, progress] : core(host).followers()) {
                LogIndex& before = believed[{core(host).term(), node, progress.life()}];
                EXPECT_GE(progress.match(), before) << node.raw();
                before = progress.match();
                const auto at = group->host_of(node);
                // A snapshot that is being written stands for a log that is durable still.
                if (at && group->up(*at) && core(*at).term() == core(host).term() &&
                    core(*at).durable() >= core(*at).snapshot().index) {
                    EXPECT_LE(progress.match(), core(*at).durable()) << node.raw();
                }
            }
        }
        return HasFailure();
    };
    for (int turn = 0; turn < 120 && !HasFailure(); ++turn) {
        for (std::size_t host = 0; host < 5; ++host) {
            group->disk_weather(host).delay_max = milliseconds(turn < 60 ? 2 : 60);
        }
        const std::size_t down = static_cast<std::size_t>(turn) % 5;
        if (turn % 4 == 3) {
            group->crash(down);  // asks for what it missed, and is refused what it has not
        }
        for (int i = 0; i < 20 && group->leader(); ++i) {
            (void)group->propose(*group->leader());
        }
        (void)group->run_until(look, milliseconds(500));
        if (!group->up(down)) {
            group->start(down);
        }
    }
    EXPECT_GT(group->oracle().acknowledged(), 300U);
    group->network() = {};
    converge();
    write(1);
}

// A segment that ended within a record was freed twice at start.
TEST_F(RaftKnownDefect, ACrashThatTearsTheOpenSegmentAnywhereIsGoneOnFrom) {
    constexpr std::size_t kCommand = 16;
    constexpr std::size_t kRecord = kRecordHeaderBytes + 1 + kCommand;
    for (const bool zeros : {false, true}) {
        begin();
        write(5);
        const std::size_t host = follower();
        for (std::size_t torn = 0; torn < kRecord; ++torn) {
            converge();
            group->run_for(seconds(1));  // sealed
            const std::string path = files(host, ".mlog").back();
            const auto size = [&] { return group->disk(host).files().find(path)->second.size(); };
            const std::size_t before = size();
            group->disk_weather(host).delay_min = milliseconds(2);
            const auto command = group->propose(leader(), kCommand);
            ASSERT_TRUE(group->run_until([&] { return group->disk(host).queued() > 0; },
                                         milliseconds(100)));
            group->crash(host, {.torn_bytes = torn, .torn_as_zeros = zeros});
            ASSERT_EQ(size(), before + (zeros && torn > 0 ? kRecord : torn));
            group->disk_weather(host) = {};
            group->start(host);
            ASSERT_TRUE(group->up(host)) << torn;
            EXPECT_FALSE(in_doubt(host)) << torn;
            EXPECT_TRUE(answer_to(command).good) << torn;
        }
        converge();
        EXPECT_EQ(group->oracle().complaint(), std::nullopt);
    }
}

// Stopped without any process seeing it, replaced, and let go on: it does not know what was agreed
// meanwhile, and still thinks that it leads.
TEST_F(RaftKnownDefect, APausedLeaderDoesNotAnswerReadsOfThePast) {
    for (const bool hears_nobody : {false, true}) {
        begin();
        write(5);
        converge();
        const std::size_t old = leader();
        // Paused with the answers to an earlier round on their way to it.
        bool answered = false;
        group->filter = [&](const Message& message) {
            answered = answered || (std::holds_alternative<AppendReply>(message.body) &&
                                    message.to == Cluster::id_of(old));
            return true;
        };
        const auto early = group->read(old);
        ASSERT_TRUE(group->run_until([&] { return answered; }, milliseconds(50)));
        ASSERT_EQ(group->answer(early), nullptr);
        group->pause(old);
        group->filter = nullptr;
        group->run_for(milliseconds(50));
        if (hears_nobody) {
            group->isolate(old);
        }
        const auto replaced = [&] { return group->leader() && *group->leader() != old; };
        ASSERT_TRUE(group->run_until(replaced, seconds(10)));
        write(20);
        ASSERT_EQ(core(old).role(), ConsensusRole::leader);
        ASSERT_LT(core(old).applied(), core(leader()).applied());
        group->resume(old);
        const auto late = group->read(old);
        const auto lost = group->propose(old);
        EXPECT_EQ(answer_to(late).why.code, Errc::not_leader);
        EXPECT_EQ(answer_to(lost).why.code, Errc::timeout);
        // Asked before the others wrote: both answers are true.
        EXPECT_TRUE(answer_to(early).good || answer_to(early).why.code == Errc::not_leader);
        group->heal_network();
        converge();
        EXPECT_EQ(group->oracle().complaint(), std::nullopt);
    }
}

}  // namespace
}  // namespace muster::raft::swarm
