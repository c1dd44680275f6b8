#include <gtest/gtest.h>

#include "raft/membership.h"
#include "sim/raft/cluster.h"

namespace muster::raft::swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ClusterOptions three() {
    return {.hosts = 3, .voters = 3, .seed = 7, .node = small_bounds()};
}

// A group and the sentences a story is told in.
class RaftScenario : public testing::Test {
protected:
    void begin(ClusterOptions options = three()) {
        group = std::make_unique<Cluster>(std::move(options));
        leader();
    }
    void TearDown() override {
        EXPECT_EQ(group->oracle().complaint(), std::nullopt);
    }

    // Waits until somebody leads.
    std::size_t leader(Duration limit = seconds(5)) {
        EXPECT_TRUE(group->run_until([&] { return group->leader().has_value(); }, limit));
        return group->leader().value_or(0);
    }
    std::size_t follower() {
        const std::size_t lead = leader();
        return lead == 0 ? 1 : 0;
    }
    Cluster::Answer answer_to(std::uint64_t ticket, Duration limit = seconds(5)) {
        EXPECT_TRUE(group->run_until([&] { return group->answer(ticket) != nullptr; }, limit));
        const auto* answer = group->answer(ticket);
        return answer != nullptr ? *answer : Cluster::Answer{};
    }
    void write(int count) {
        for (int i = 0; i < count; ++i) {
            const auto answer = answer_to(group->propose(leader()));
            EXPECT_TRUE(answer.good) << to_string(answer.why);
        }
    }
    void converge(Duration limit = seconds(10)) {
        EXPECT_TRUE(group->run_until([&] { return group->converged(); }, limit));
        group->run_for(milliseconds(200));  // until everybody knows and has written that
    }
    // Of the host's files, those that end so, oldest first.
    std::vector<std::string> files(std::size_t host, std::string_view suffix) {
        std::vector<std::string> found;
        for (const auto& [path, bytes] : group->disk(host).files()) {
            if (path.ends_with(suffix)) {
                found.push_back(path);
            }
        }
        return found;
    }
    [[nodiscard]] Membership members_with(std::vector<std::size_t> voters,
                                          std::vector<std::size_t> learners = {}) const {
        Membership members;
        for (const std::size_t host : voters) {
            members.voters.push_back(Cluster::id_of(host));
        }
        for (const std::size_t host : learners) {
            members.learners.push_back(Cluster::id_of(host));
        }
        return normalised(members);
    }
    [[nodiscard]] bool in_doubt(std::size_t host) const {
        return group->node(host).core().hard_state().doubt;
    }

    std::unique_ptr<Cluster> group;
};

TEST_F(RaftScenario, ElectsALeaderAndAgrees) {
    begin();
    write(200);
    EXPECT_TRUE(answer_to(group->read(leader())).good);
    converge();
    EXPECT_EQ(group->oracle().reigns(), 1U);
}

TEST_F(RaftScenario, GoesOnWithoutItsLeaderAndTakesItBack) {
    begin();
    const std::size_t first = leader();
    group->crash(first);
    const MonoTime then = group->now();
    write(1);
    EXPECT_LT(group->now() - then, seconds(2));
    write(300);
    group->start(first);
    converge();
}

TEST_F(RaftScenario, AllCrashAtOnceAndNothingAcknowledgedIsLost) {
    begin();
    write(50);
    for (std::size_t host = 0; host < 3; ++host) {
        group->crash(host);
    }
    for (std::size_t host = 0; host < 3; ++host) {
        group->start(host);
    }
    write(1);
    converge();
    EXPECT_EQ(group->oracle().order().size(), 51U);
}

TEST_F(RaftScenario, ACutOffLeaderNeitherAcknowledgesNorReads) {
    begin();
    write(5);
    const std::size_t old = leader();
    group->isolate(old);
    const auto lost = group->propose(old);
    const auto read = group->read(old);
    EXPECT_FALSE(answer_to(lost).good);
    EXPECT_EQ(answer_to(lost).why.code, Errc::timeout);
    EXPECT_EQ(answer_to(read).why.code, Errc::not_leader);
    write(5);
    EXPECT_NE(leader(), old);
    group->heal_network();
    converge();
}

TEST_F(RaftScenario, ACutOffFollowerDoesNotDisturbWhenItIsBack) {
    begin();
    write(5);
    const std::size_t lead = leader();
    const Term term = group->node(lead).core().term();
    group->isolate(follower());
    group->run_for(seconds(8));
    group->heal_network();
    group->run_for(seconds(2));
    EXPECT_EQ(leader(), lead);
    EXPECT_EQ(group->node(lead).core().term(), term);
}

TEST_F(RaftScenario, ALeaderThatHearsNobodyStepsDownThoughItIsHeard) {
    begin();
    const std::size_t old = leader();
    for (std::size_t host = 0; host < 3; ++host) {
        if (host != old) {
            group->cut(host, old);
        }
    }
    ASSERT_TRUE(
        group->run_until([&] { return group->leader() && *group->leader() != old; }, seconds(5)));
    write(5);
}

TEST_F(RaftScenario, SlowDisksAgreeSlowly) {
    ClusterOptions options = three();
    options.seed = 11;
    group = std::make_unique<Cluster>(options);
    for (std::size_t host = 0; host < 3; ++host) {
        group->disk_weather(host) = {.delay_min = milliseconds(50),
                                     .delay_max = milliseconds(1500)};
    }
    leader(seconds(120));
    for (int i = 0; i < 5; ++i) {
        if (group->leader()) {
            (void)group->propose(*group->leader());
        }
        group->run_for(seconds(5));
    }
    EXPECT_GT(group->oracle().acknowledged(), 0U);
}

TEST_F(RaftScenario, AFullDiskCostsTheLeaderItsOfficeAndNothingElse) {
    begin();
    write(5);
    const std::size_t full = leader();
    group->disk_weather(full).full = true;
    EXPECT_EQ(answer_to(group->propose(full)).why.code, Errc::io_error);
    write(20);
    EXPECT_NE(leader(), full);
    group->disk_weather(full).full = false;
    converge();
}

TEST_F(RaftScenario, FullDisksEverywhereRefuseUntilThereIsSpaceAgain) {
    begin();
    write(5);
    for (std::size_t host = 0; host < 3; ++host) {
        group->disk_weather(host).full = true;
    }
    EXPECT_FALSE(answer_to(group->propose(leader())).good);
    group->run_for(seconds(10));
    for (std::size_t host = 0; host < 3; ++host) {
        group->disk_weather(host).full = false;
    }
    group->run_for(seconds(2));
    write(5);
    converge();
}

TEST_F(RaftScenario, ADiskThatFillsUpIsMadeRoomOnWithTheReserve) {
    begin();
    write(30);
    group->run_for(seconds(3));
    const std::size_t lead = leader();
    ASSERT_GT(group->metric(lead, "muster_raft_reserve_bytes"), 0);
    group->limit_disk(lead, 300);
    write(60);
    // It was needed, nobody noticed, and the log is small.
    EXPECT_EQ(group->metric(lead, "muster_raft_reserve_given_up_total"), 1);
    EXPECT_EQ(group->oracle().reigns(), 1U);
    EXPECT_EQ(group->metric(lead, "muster_raft_disk_broken"), 0);
    group->limit_disk(lead, kRoomForAll);
    group->run_for(seconds(10));
    EXPECT_GT(group->metric(lead, "muster_raft_reserve_bytes"), 0);
    converge();
}

TEST_F(RaftScenario, ADiskThatStaysFullIsSaidAndGoesOnWhenThereIsSpace) {
    begin();
    write(30);
    group->run_for(seconds(3));
    const std::size_t full = leader();
    group->limit_disk(full, 0);
    write(1);
    // What the reserve gave was taken by others.
    group->limit_disk(full, 0);
    for (int i = 0; i < 100; ++i) {
        (void)group->propose(leader());
        group->run_for(milliseconds(50));
    }
    EXPECT_NE(leader(), full);
    EXPECT_EQ(group->metric(full, "muster_raft_disk_broken"), 1);
    EXPECT_EQ(group->metric(full, "muster_raft_reserve_bytes"), 0);
    EXPECT_GT(group->metric(full, "muster_raft_disk_failures_total"), 3);
    group->limit_disk(full, kRoomForAll);
    group->run_for(seconds(10));
    EXPECT_EQ(group->metric(full, "muster_raft_disk_broken"), 0);
    EXPECT_GT(group->metric(full, "muster_raft_reserve_bytes"), 0);
    converge();
}

TEST_F(RaftScenario, AFlippedByteInALogIsFoundAndTheNodeSuppliedAgain) {
    begin();
    write(40);
    const std::size_t host = follower();
    group->run_for(seconds(1));  // sealed
    group->crash(host);
    const std::string path = files(host, ".mlog").back();
    group->disk(host).flip_bit(path, 60, 3);
    group->start(host);
    ASSERT_TRUE(group->up(host));
    EXPECT_TRUE(in_doubt(host));
    converge();
    EXPECT_FALSE(in_doubt(host));
    // What it did about the damage holds.
    group->crash(host);
    group->start(host);
    EXPECT_FALSE(in_doubt(host));
}

TEST_F(RaftScenario, TruncatedAndMissingSegmentsAreFoundAndTheNodeSuppliedAgain) {
    begin();
    const std::size_t host = follower();
    for (int turn = 0; turn < 4; ++turn) {
        write(20);
        group->crash(host);
        group->start(host);
        converge();
    }
    group->crash(host);
    const std::vector<std::string> segments = files(host, ".mlog");
    ASSERT_GT(segments.size(), 3U);
    group->disk(host).cut(segments[segments.size() - 3], 45);
    group->start(host);
    ASSERT_TRUE(group->up(host));
    EXPECT_TRUE(in_doubt(host));
    converge();
    group->crash(host);
    for (const std::string& path : files(host, ".mlog")) {
        group->disk(host).erase(path);
    }
    group->start(host);
    ASSERT_TRUE(group->up(host));
    converge();
}

TEST_F(RaftScenario, ASegmentMissingInTheMiddleIsFound) {
    begin();
    const std::size_t host = follower();
    for (int turn = 0; turn < 4; ++turn) {
        write(10);
        group->crash(host);
        group->start(host);
        converge();
    }
    group->crash(host);
    const std::vector<std::string> segments = files(host, ".mlog");
    ASSERT_GT(segments.size(), 3U);
    group->disk(host).erase(segments[segments.size() - 2]);
    group->start(host);
    ASSERT_TRUE(group->up(host));
    EXPECT_TRUE(in_doubt(host));
    converge();
    // Made up for: it is not missed again.
    group->crash(host);
    group->start(host);
    EXPECT_FALSE(in_doubt(host));
}

TEST_F(RaftScenario, ANodeThatLostEverySnapshotStillKnowsTheFirstMembers) {
    begin();
    write(5);
    const std::size_t host = follower();
    group->crash(host);
    for (const std::string& path : files(host, ".msnap")) {
        group->disk(host).erase(path);
    }
    for (const std::string& path : files(host, ".mlog")) {
        group->disk(host).cut(path, 20);
    }
    group->start(host);
    ASSERT_TRUE(group->up(host));
    EXPECT_TRUE(in_doubt(host));
    converge();
    EXPECT_EQ(group->node(host).members(), members_with({0, 1, 2}));
}

TEST_F(RaftScenario, ANodeThatForgotDoesNotElectAnotherThatNeverKnew) {
    begin();
    const std::size_t lead = leader();
    const std::size_t forgets = (lead + 1) % 3;
    const std::size_t never_knew = (lead + 2) % 3;
    group->isolate(never_knew);
    write(10);
    group->run_for(seconds(1));
    group->crash(lead);
    group->crash(forgets);
    const std::string path = files(forgets, ".mlog").back();
    group->disk(forgets).flip_bit(path, 60, 3);
    group->heal_network();
    group->start(forgets);
    group->run_for(seconds(20));
    EXPECT_EQ(group->leader(), std::nullopt);
    group->start(lead);
    write(1);
    converge();
    EXPECT_EQ(group->oracle().order().size(), 11U);
}

TEST_F(RaftScenario, OneDamagedVoteFileIsMadeUpForTwoAreNot) {
    begin();
    write(5);
    const std::size_t host = follower();
    group->crash(host);
    const std::vector<std::string> votes = files(host, ".mvote");
    ASSERT_EQ(votes.size(), 2U);
    group->disk(host).flip_bit(votes[0], 20, 1);
    group->start(host);
    ASSERT_TRUE(group->up(host));
    converge();
    group->crash(host);
    group->disk(host).flip_bit(votes[0], 20, 1);
    group->disk(host).cut(votes[1], 10);
    group->start(host);
    ASSERT_FALSE(group->up(host));
    EXPECT_EQ(group->start_error(host)->code, Errc::corrupt);
    write(5);
}

TEST_F(RaftScenario, ALearnerCatchesUpBySnapshotAndIsPromoted) {
    ClusterOptions options = three();
    options.hosts = 4;
    begin(options);
    write(300);
    const std::size_t lead = leader();
    const auto direct = answer_to(group->change(lead, members_with({0, 1, 2, 3})));
    EXPECT_EQ(direct.why.code, Errc::refused);
    ASSERT_TRUE(answer_to(group->change(lead, members_with({0, 1, 2}, {3}))).good);
    const auto early = answer_to(group->change(lead, members_with({0, 1, 2, 3})));
    EXPECT_EQ(early.why.code, Errc::unavailable);
    converge();
    const auto promoted = answer_to(group->change(lead, members_with({0, 1, 2, 3})));
    EXPECT_TRUE(promoted.good) << to_string(promoted.why);
    write(10);
    converge();
    EXPECT_EQ(group->node(3).members(), members_with({0, 1, 2, 3}));
}

// Promoted, it would be a voter that does not vote; the leader's end would be that of the group.
TEST_F(RaftScenario, ALearnerInDoubtIsNotPromoted) {
    ClusterOptions options = three();
    options.hosts = 4;
    begin(options);
    write(25);  // more than one message
    const std::size_t lead = leader();
    group->disk_weather(3) = {.delay_min = milliseconds(300), .delay_max = milliseconds(300)};
    ASSERT_TRUE(answer_to(group->change(lead, members_with({0, 1, 2}, {3}))).good);
    const auto& learner = group->node(lead).core().followers().at(Cluster::id_of(3));
    ASSERT_TRUE(group->run_until([&] { return learner.match() > LogIndex(3); }, seconds(20)));
    ASSERT_TRUE(in_doubt(3));
    const auto early = answer_to(group->change(lead, members_with({0, 1, 2, 3})));
    EXPECT_EQ(early.why.code, Errc::unavailable);
    ASSERT_TRUE(group->run_until([&] { return learner.there(); }, seconds(20)));
    EXPECT_TRUE(answer_to(group->change(lead, members_with({0, 1, 2, 3}))).good);
    converge();
}

TEST_F(RaftScenario, ALeaderHandsOverAndThenLeaves) {
    begin();
    write(5);
    const std::size_t old = leader();
    std::vector<std::size_t> others;
    for (std::size_t host = 0; host < 3; ++host) {
        if (host != old) {
            others.push_back(host);
        }
    }
    // Asked to leave it hands over first, and the new one is to be asked.
    const MonoTime then = group->now();
    EXPECT_EQ(answer_to(group->change(old, members_with(others))).why.code, Errc::not_leader);
    ASSERT_TRUE(
        group->run_until([&] { return group->leader() && *group->leader() != old; }, seconds(1)));
    EXPECT_LT(group->now() - then, milliseconds(200));
    EXPECT_TRUE(answer_to(group->change(leader(), members_with(others))).good);
    write(5);
    converge();
}

TEST_F(RaftScenario, ALeaderIsAskedToHandOver) {
    begin();
    write(5);
    const std::size_t old = leader();
    const std::size_t other = follower();
    const MonoTime then = group->now();
    EXPECT_TRUE(answer_to(group->transfer(old, other)).good);
    EXPECT_LT(group->now() - then, milliseconds(200));
    ASSERT_TRUE(group->run_until([&] { return group->leader() == other; }, seconds(1)));
    write(5);
    converge();
}

TEST_F(RaftScenario, ALeaderThatStopsHandsOverToWhoIsThere) {
    begin();
    write(5);
    const std::size_t old = leader();
    const std::size_t away = (old + 1) % 3;
    group->isolate(away);
    group->run_for(seconds(3));
    ASSERT_EQ(group->leader(), old);
    const MonoTime then = group->now();
    EXPECT_TRUE(answer_to(group->stop(old)).good);
    ASSERT_TRUE(group->run_until([&] { return group->leader() == (old + 2) % 3; }, seconds(1)));
    EXPECT_LT(group->now() - then, milliseconds(200));
    // It does not come back into office while it ends, and a follower ends at once.
    group->heal_network();
    converge();
    group->crash((old + 2) % 3);
    ASSERT_TRUE(group->run_until([&] { return group->leader() == away; }, seconds(20)));
    EXPECT_TRUE(answer_to(group->stop(old)).good);
}

TEST_F(RaftScenario, ALeaderWhoseProcessIsKnownToBeGoneIsReplacedAtOnce) {
    begin();
    write(5);
    const std::size_t old = leader();
    group->crash(old);
    const MonoTime then = group->now();
    for (std::size_t host = 0; host < 3; ++host) {
        if (host != old) {
            group->say_gone(host, old);
        }
    }
    ASSERT_TRUE(
        group->run_until([&] { return group->leader() && *group->leader() != old; }, seconds(1)));
    EXPECT_LT(group->now() - then, milliseconds(300));
    // A wrong word changes nothing: the other one hears the leader.
    group->start(old);
    write(1);
    const std::size_t lead = leader();
    group->say_gone(follower(), lead);
    group->run_for(seconds(5));
    EXPECT_EQ(group->leader(), lead);
}

TEST_F(RaftScenario, ATransferToADeadNodeIsGivenUpAndTheLeaderGoesOn) {
    begin();
    const std::size_t lead = leader();
    const std::size_t host = follower();
    group->crash(host);
    EXPECT_FALSE(answer_to(group->transfer(lead, host)).good);
    write(5);
}

TEST_F(RaftScenario, AFollowerThatCrashesWithTheLastPartOfASnapshotGetsItAgain) {
    begin();
    const std::size_t host = follower();
    group->isolate(host);
    write(300);
    group->disk_weather(host) = {.delay_min = milliseconds(400), .delay_max = milliseconds(400)};
    bool complete = false;
    group->filter = [&](const Message& message) {
        const auto* reply = std::get_if<SnapshotReply>(&message.body);
        complete = complete || (reply != nullptr && reply->offset > 1000);
        return true;
    };
    group->heal_network();
    ASSERT_TRUE(group->run_until([&] { return complete; }, seconds(10)));
    group->run_for(milliseconds(100));
    group->crash(host);
    group->disk_weather(host) = {};
    group->start(host);
    converge();
}

TEST_F(RaftScenario, ManyReadsShareARound) {
    begin();
    write(5);
    const std::size_t lead = leader();
    std::size_t messages = 0;
    group->filter = [&](const Message& message) {
        messages += std::holds_alternative<AppendRequest>(message.body) ? 1 : 0;
        return true;
    };
    std::vector<std::uint64_t> reads;
    for (int i = 0; i < 200; ++i) {
        reads.push_back(group->read(lead));
    }
    for (const std::uint64_t read : reads) {
        EXPECT_TRUE(answer_to(read).good);
    }
    EXPECT_LT(messages, 10U);
}

TEST_F(RaftScenario, ASingleVoterAgreesWithItself) {
    ClusterOptions options = three();
    options.hosts = 1;
    options.voters = 1;
    begin(options);
    write(100);
    group->crash(0);
    group->start(0);
    write(10);
    EXPECT_TRUE(answer_to(group->read(0)).good);
    EXPECT_EQ(group->applied_commands(0), 110U);
}

TEST_F(RaftScenario, LeapingClocksChangeLeadersAtWorst) {
    begin();
    for (int i = 0; i < 20; ++i) {
        group->leap(static_cast<std::size_t>(i) % 3);
        group->run_for(milliseconds(300));
        write(2);
    }
    converge();
}

}  // namespace
}  // namespace muster::raft::swarm
