#include "sim/raft/scenario.h"

namespace muster::raft::swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

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
    // What the sentence of the error says to do.
    group->wipe(host);
    group->start(host);
    ASSERT_TRUE(group->up(host));
    converge();
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

}  // namespace
}  // namespace muster::raft::swarm
