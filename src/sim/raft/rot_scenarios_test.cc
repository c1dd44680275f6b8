#include "sim/raft/scenario.h"

// Files that go bad while their node runs.
namespace muster::raft::swarm {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class RaftRot : public RaftScenario {
protected:
    void begin_with_files() {
        ClusterOptions options = three();
        options.node.scrub = frequent_scrub();
        begin(options);
        write(150);
        converge();
        group->run_for(seconds(1));  // sealed
    }
    void flip(std::size_t host, std::string_view suffix) {
        const std::string path = files(host, suffix).front();
        const std::size_t size = group->disk(host).files().find(path)->second.size();
        group->disk(host).flip_bit(path, size / 2, 3);
    }
    bool found(std::size_t host) {
        return group->metric(host, "muster_raft_damage_found_total") > 0;
    }
    // It knows that its files went bad, and that they are well again.
    void expect_found_and_mended(std::size_t host) {
        EXPECT_TRUE(group->run_until([&] { return found(host); }, seconds(60)));
        EXPECT_TRUE(in_doubt(host));
        EXPECT_TRUE(group->run_until([&] { return !in_doubt(host); }, seconds(10)));
    }
    void expect_whole_after_a_restart(std::size_t host) {
        group->run_for(seconds(1));
        group->crash(host);
        group->start(host);
        ASSERT_TRUE(group->up(host));
        EXPECT_FALSE(in_doubt(host));
    }
};

TEST_F(RaftRot, AFileOfARunningFollowerIsFoundAndAllIsWrittenAnew) {
    for (const char* kind : {".mlog", ".msnap", ".mvote"}) {
        begin_with_files();
        const std::size_t lead = leader();
        const std::size_t host = follower();
        const auto& progress = group->node(lead).core().followers().at(Cluster::id_of(host));
        const std::uint64_t life = progress.life();
        flip(host, kind);
        expect_found_and_mended(host);
        EXPECT_EQ(leader(), lead);
        // What it acknowledged before was forgotten, and acknowledged again.
        group->run_for(seconds(1));
        EXPECT_EQ(progress.life(), life + 1);
        EXPECT_EQ(progress.match(), group->node(lead).core().log().last());
        expect_whole_after_a_restart(host);
        write(5);
        converge();
        EXPECT_EQ(group->oracle().complaint(), std::nullopt);
    }
}

TEST_F(RaftRot, AMissingSegmentOfARunningNodeIsFound) {
    begin_with_files();
    const std::size_t host = follower();
    group->disk(host).erase(files(host, ".mlog").front());
    expect_found_and_mended(host);
    expect_whole_after_a_restart(host);
    converge();
}

TEST_F(RaftRot, ALeaderWhoseFileGoesBadLeavesItsOffice) {
    begin_with_files();
    const std::size_t old = leader();
    flip(old, ".mlog");
    ASSERT_TRUE(group->run_until([&] { return found(old); }, seconds(60)));
    EXPECT_NE(group->node(old).core().role(), ConsensusRole::leader);
    write(20);
    converge();
    expect_whole_after_a_restart(old);
    converge();
}

// In doubt it neither votes nor counts, however many wait for it.
TEST_F(RaftRot, ANodeWhoseFileWentBadDoesNotVoteUntilAllIsWrittenAnew) {
    begin_with_files();
    const std::size_t lead = leader();
    const std::size_t host = (lead + 1) % 3;
    const std::size_t other = (lead + 2) % 3;
    flip(host, ".mlog");
    ASSERT_TRUE(group->run_until([&] { return found(host); }, seconds(60)));
    ASSERT_TRUE(in_doubt(host));
    group->disk_weather(host) = {.delay_min = seconds(4), .delay_max = seconds(4)};
    group->crash(lead);
    const Term term = group->node(other).core().term();
    group->run_for(seconds(6));
    ASSERT_TRUE(in_doubt(host));
    EXPECT_EQ(group->leader(), std::nullopt);
    EXPECT_EQ(group->node(other).core().term(), term);
    // It has all it had: no leader is needed for its doubt to end.
    group->disk_weather(host) = {};
    ASSERT_TRUE(group->run_until([&] { return group->leader().has_value(); }, seconds(60)));
    write(5);
    group->start(lead);
    converge();
}

TEST_F(RaftRot, EntriesThatAreNotAgreedAreWrittenAnewToo) {
    begin_with_files();
    const std::size_t lead = leader();
    const std::size_t host = (lead + 1) % 3;
    const RaftCore& core = group->node(host).core();
    const LogIndex agreed = core.log().last();
    group->isolate((lead + 2) % 3);
    group->cut(host, lead);
    for (int i = 0; i < 5; ++i) {
        (void)group->propose(lead);
    }
    const LogIndex last(agreed.raw() + 5);
    ASSERT_TRUE(group->run_until([&] { return core.log().last() == last; }, milliseconds(200)));
    group->run_for(milliseconds(20));
    group->crash(lead);
    flip(host, ".mlog");
    expect_found_and_mended(host);
    EXPECT_EQ(core.commit(), agreed);
    expect_whole_after_a_restart(host);
    EXPECT_EQ(group->node(host).core().log().last(), last);
    // The one left has fewer: this one is elected, and they take effect.
    group->heal_network();
    write(1);
    group->start(lead);
    converge();
    EXPECT_EQ(group->oracle().order().size(), 156U);
}

TEST_F(RaftRot, FilesOfAllNodesAtOnceLoseNothing) {
    begin_with_files();
    for (std::size_t host = 0; host < 3; ++host) {
        flip(host, ".mlog");
        flip(host, ".msnap");
    }
    for (std::size_t host = 0; host < 3; ++host) {
        ASSERT_TRUE(group->run_until([&] { return found(host); }, seconds(60)));
    }
    group->run_for(seconds(5));
    write(5);
    converge();
    for (std::size_t host = 0; host < 3; ++host) {
        group->crash(host);
    }
    for (std::size_t host = 0; host < 3; ++host) {
        group->start(host);
        EXPECT_FALSE(in_doubt(host));
    }
    write(1);
    converge();
    EXPECT_EQ(group->oracle().order().size(), 156U);
}

TEST_F(RaftRot, TheFilesOfASingleVoterAreWrittenAnew) {
    ClusterOptions options = three();
    options.hosts = options.voters = 1;
    options.node.scrub = frequent_scrub();
    begin(options);
    write(100);
    group->run_for(seconds(1));
    flip(0, ".mlog");
    expect_found_and_mended(0);
    write(5);
    expect_whole_after_a_restart(0);
    write(1);
    EXPECT_EQ(group->applied_commands(0), 106U);
}

// Wherever it crashes meanwhile it comes back in doubt or whole, and loses nothing.
TEST_F(RaftRot, ACrashWhileAllIsWrittenAnewIsADoubtAtStart) {
    std::size_t doubts = 0;
    for (int steps = 0; steps < 40; ++steps) {
        begin_with_files();
        const std::size_t host = follower();
        flip(host, ".mlog");
        ASSERT_TRUE(group->run_until([&] { return found(host); }, seconds(60)));
        for (int i = 0; i < 3; ++i) {
            (void)group->propose(leader());
        }
        group->run_for(microseconds(500 * steps));
        group->crash(host, {.operations = static_cast<std::size_t>(steps % 3)});
        group->start(host);
        ASSERT_TRUE(group->up(host));
        doubts += in_doubt(host) ? 1 : 0;
        write(3);
        converge();
        EXPECT_FALSE(in_doubt(host));
        EXPECT_EQ(group->oracle().complaint(), std::nullopt);
    }
    EXPECT_GT(doubts, 0U);
    EXPECT_LT(doubts, 40U);
}

}  // namespace
}  // namespace muster::raft::swarm
