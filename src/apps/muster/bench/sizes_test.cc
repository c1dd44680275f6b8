#include "apps/muster/bench/sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

using testing::HasSubstr;

template <typename Size>
std::string refusal(const Size& size) {
    const auto made = demand_of(size);
    if (made) {
        return "taken";
    }
    EXPECT_EQ(made.error().code, Errc::invalid_argument);
    return made.error().detail;
}

TEST(BenchSizes, DefaultsCanBeRun) {
    EXPECT_EQ(demand_of(PropagationSize{})->connections, 101U);
    EXPECT_EQ(demand_of(RegistrationsSize{})->connections, 60U);
    EXPECT_EQ(demand_of(OperationsSize{})->connections, 60U);
    EXPECT_EQ(demand_of(FanoutSize{})->connections, 1001U);
    EXPECT_EQ(demand_of(CapacitySize{})->connections, 1000U);
    EXPECT_EQ(demand_of(DisconnectSize{})->connections, 210U);
    EXPECT_EQ(demand_of(RollingSize{})->connections, 151U);
    EXPECT_EQ(demand_of(StormSize{})->connections, 500U);
    EXPECT_EQ(demand_of(SteadySize{})->connections, 8U);
}

TEST(BenchSizes, StandInTheReportByTheirOptions) {
    const auto words = demand_of(FanoutSize{.subscribers = {5, 9}})->words;
    ASSERT_EQ(words.size(), 3U);
    EXPECT_EQ(words[0], std::pair(std::string("subscribers"), std::string("5,9")));
    EXPECT_EQ(words[1].first, "instances");
}

TEST(BenchSizes, AreRefusedByOptionAndRange) {
    EXPECT_EQ(refusal(PropagationSize{.subscribers = 20'001}),
              "--subscribers is 1 to 20000, not 20001");
    EXPECT_THAT(refusal(PropagationSize{.publishers = 0}), HasSubstr("--publishers is 1 to 1000"));
    EXPECT_THAT(refusal(PropagationSize{.rate = 5001}), HasSubstr("--rate is 1 to 5000"));
    EXPECT_THAT(refusal(PropagationSize{.seconds = 601}), HasSubstr("--seconds is 1 to 600"));
    EXPECT_THAT(refusal(RegistrationsSize{.instances = 1'000'001}), HasSubstr("--instances is"));
    EXPECT_THAT(refusal(RegistrationsSize{.batch = 10'001}), HasSubstr("--batch is 1 to 10000"));
    EXPECT_THAT(refusal(RegistrationsSize{.services = 0}), HasSubstr("--services is"));
    EXPECT_THAT(refusal(FanoutSize{.subscribers = {1, 0}}), HasSubstr("--subscribers is 1 to"));
    EXPECT_THAT(refusal(FanoutSize{.subscribers = {}}), HasSubstr("numbers with commas"));
    EXPECT_THAT(refusal(FanoutSize{.changes = 0}), HasSubstr("--changes is 1 to"));
    EXPECT_THAT(refusal(DisconnectSize{.share = 101}), HasSubstr("--share is 1 to 100"));
    EXPECT_THAT(refusal(SteadySize{.clients = 65}), HasSubstr("--clients is 1 to 64"));
    EXPECT_THAT(refusal(StormSize{.services = 0}), HasSubstr("--services is 1 to"));
    EXPECT_THAT(refusal(OperationsSize{.subscribers = 0}), HasSubstr("--subscribers is 1 to"));
    EXPECT_THAT(refusal(RollingSize{.instances = 4, .step = 5}), HasSubstr("--step 5 is more"));
}

TEST(BenchSizes, AreRefusedByWhatTheyComeToTogether) {
    EXPECT_THAT(refusal(PropagationSize{.publishers = 1, .subscribers = 20'000}),
                HasSubstr("20001 connections"));
    EXPECT_THAT(refusal(PropagationSize{.publishers = 1000, .subscribers = 19'000, .rate = 1}),
                testing::StrEq("taken"));
    EXPECT_THAT(refusal(FanoutSize{.subscribers = {19'000}, .instances = 10'000}),
                HasSubstr("190000000 entries"));
    EXPECT_THAT(refusal(RegistrationsSize{.services = 100, .instances = 99}),
                HasSubstr("fewer than one for each"));
    EXPECT_THAT(refusal(CapacitySize{.connections = 2, .services = 1000}),
                HasSubstr("2000 times, not 50000"));
    EXPECT_THAT(refusal(CapacitySize{.publications = 99, .services = 100}),
                HasSubstr("fewer than one for each"));
    EXPECT_THAT(refusal(CapacitySize{.publications = 1'000'000}), HasSubstr("50000000 entries"));
    EXPECT_THAT(refusal(CapacitySize{.steps = 101}), HasSubstr("--steps is 1 to 100"));
    EXPECT_THAT(refusal(StartSize{.client_port = 9600, .http_port = 9600}),
                HasSubstr("are both 9600"));
    EXPECT_THAT(refusal(StartSize{.http_port = 70'000}), HasSubstr("--http-port is 0 to 65535"));
    EXPECT_THAT(refusal(SteadySize{.services = 21, .instances = 1000}),
                HasSubstr("are 21000 instances"));
    EXPECT_THAT(refusal(SteadySize{.services = 1, .instances = 1001}),
                HasSubstr("--instances is 1 to 1000"));
    EXPECT_THAT(refusal(OperationsSize{.services = 100, .instances = 99}),
                HasSubstr("fewer than one for each"));
    EXPECT_THAT(refusal(OperationsSize{.clients = 50, .services = 1, .instances = 1'000'000}),
                HasSubstr("51000000 entries"));
    EXPECT_THAT(refusal(StormSize{.clients = 20'000, .services = 1}),
                HasSubstr("400000000 entries"));
    EXPECT_THAT(refusal(DisconnectSize{.clients = 9, .services = 10}),
                HasSubstr("fewer than one for each"));
}

TEST(BenchSizes, MindTheLimitOfOpenFiles) {
    EXPECT_TRUE(check_open_files(19'000, 20'000).has_value());
    const auto refused = check_open_files(20'000, 20'000);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().detail, HasSubstr("may have 20000 open"));
    EXPECT_THAT(refused.error().detail, HasSubstr("ulimit -n"));
    EXPECT_GT(raise_open_files(), 0U);
}

}  // namespace
}  // namespace muster::cli::bench
