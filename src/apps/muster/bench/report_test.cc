#include "apps/muster/bench/report.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;

Report sample() {
    Report told{.bench = "fanout",
                .run = "muster-bench-00000007",
                .servers = "127.0.0.1:9600",
                .machine = "2 x Good Processor",
                .cores = 2,
                .same_host = true,
                .size = {{"subscribers", "10,20"}, {"changes", "5"}},
                .seconds = 1.5,
                .bytes_sent = 1234,
                .bytes_received = 5'600'000,
                .own_cpu_seconds = 0.25,
                .own_rss_bytes = 8e6};
    told.figures = {
        {.metric = "change_to_last_subscriber",
         .what = "change to last",
         .subscribers = 10,
         .took = load::Quantiles{.p50 = 250us, .p99 = 3ms, .p999 = 40ms, .max = 2s, .count = 5}},
        {.metric = "lists_per_second",
         .what = "lists told",
         .subscribers = 10,
         .value = 123456.7,
         .unit = "a second"}};
    return told;
}

TEST(BenchReport, TellsEveryFigureWithItsQuantilesInJson) {
    Report told = sample();
    told.server = ServerFigures{.cpu_seconds = 1.25, .rss_bytes = 2e7, .processes = 3};
    told.notes = {"a \"note\""};
    const auto read = boost::json::parse(to_json(told)).as_object();
    EXPECT_EQ(read.at("bench").as_string(), "fanout");
    EXPECT_EQ(read.at("cores").as_int64(), 2);
    EXPECT_TRUE(read.at("same_host").as_bool());
    EXPECT_EQ(read.at("size").at("subscribers").as_string(), "10,20");
    EXPECT_EQ(read.at("bytes_received").to_number<double>(), 5.6e6);
    EXPECT_EQ(read.at("server").at("processes").as_int64(), 3);
    EXPECT_EQ(read.at("notes").at(0).as_string(), "a \"note\"");
    const auto& time = read.at("figures").at(0);
    EXPECT_EQ(time.at("metric").as_string(), "change_to_last_subscriber");
    EXPECT_EQ(time.at("subscribers").as_int64(), 10);
    EXPECT_EQ(time.at("unit").as_string(), "ms");
    EXPECT_EQ(time.at("count").as_int64(), 5);
    EXPECT_EQ(time.at("p50").to_number<double>(), 0.25);
    EXPECT_EQ(time.at("p99").to_number<double>(), 3);
    EXPECT_EQ(time.at("p999").to_number<double>(), 40);
    EXPECT_EQ(time.at("max").to_number<double>(), 2000);
    EXPECT_EQ(read.at("figures").at(1).at("value").to_number<double>(), 123456.7);
}

TEST(BenchReport, AServerThatIsNotKnownIsNullAndSaysHow) {
    EXPECT_TRUE(boost::json::parse(to_json(sample())).at("server").is_null());
    EXPECT_THAT(value_rows(sample()), Contains(ElementsAre("server", "not known (--http)")));
}

TEST(BenchReport, TrafficThatIsNotKnownIsNotZero) {
    Report told = sample();
    told.traffic_known = false;
    told.pushes = 7;
    const auto read = boost::json::parse(to_json(told)).as_object();
    EXPECT_TRUE(read.at("bytes_sent").is_null());
    EXPECT_TRUE(read.at("whole_pushes").is_null());
    EXPECT_EQ(read.at("pushes").as_int64(), 7);
    EXPECT_THAT(value_rows(told), Contains(ElementsAre("lists shown", "7")));
}

TEST(BenchReport, ShowsPeopleTimesAndTheRestApart) {
    EXPECT_THAT(latency_rows(sample()),
                ElementsAre(ElementsAre("TIME", "COUNT", "P50", "P99", "P99.9", "MAX"),
                            ElementsAre("change to last, 10 subscribers", "5", "250 us", "3 ms",
                                        "40 ms", "2 s")));
    const Rows rows = value_rows(sample());
    EXPECT_THAT(rows, Contains(ElementsAre("lists told, 10 subscribers", "123457 a second")));
    EXPECT_THAT(rows, Contains(ElementsAre("load", "subscribers 10,20, changes 5")));
    EXPECT_THAT(rows, Contains(ElementsAre("sent, received", "1234 B, 5.6 MB")));
    EXPECT_THAT(rows, Contains(ElementsAre("machine", "2 x Good Processor")));
    EXPECT_THAT(
        rows, Contains(ElementsAre("loader is", "on the server's machine: they share its cores")));
}

TEST(BenchReport, ViewsThatWereComparedAreEqualOrDiffer) {
    EXPECT_TRUE(boost::json::parse(to_json(sample())).at("views").is_null());
    Report told = sample();
    told.views = {.digest = "00ff", .subscribers = 4, .differing = 0};
    EXPECT_THAT(value_rows(told), Contains(ElementsAre("views equal", "yes, digest 00ff")));
    EXPECT_EQ(exit_status(told), 0);
    told.views->differing = 3;
    EXPECT_THAT(value_rows(told),
                Contains(ElementsAre("views equal",
                                     "no: 3 of 4 subscribers are shown something else than digest "
                                     "00ff")));
    EXPECT_FALSE(boost::json::parse(to_json(told)).at("views").at("equal").as_bool());
    EXPECT_EQ(exit_status(told), 3);
}

TEST(BenchReport, ItsExitStatusTellsWhatWentWrong) {
    EXPECT_EQ(exit_status(sample()), 0);
    const auto with = [](auto Report::* member, auto value) {
        Report told = sample();
        told.*member = value;
        return exit_status(told);
    };
    EXPECT_EQ(with(&Report::refused, 1U), 1);
    EXPECT_EQ(with(&Report::left_behind, 1U), 1);
    EXPECT_EQ(with(&Report::false_removals, 1U), 3);
    EXPECT_EQ(with(&Report::backward, 1U), 3);
    EXPECT_EQ(with(&Report::not_told, 1U), 3);
    EXPECT_EQ(with(&Report::interrupted, true), 3);
}

TEST(BenchReport, WordsHaveThreeDigits) {
    EXPECT_EQ(in_words(0us), "0 us");
    EXPECT_EQ(in_words(1250us), "1.25 ms");
    EXPECT_EQ(in_words(12345ms), "12.3 s");
    EXPECT_EQ(bytes_in_words(9999), "9999 B");
    EXPECT_EQ(bytes_in_words(12345), "12.3 KB");
    EXPECT_EQ(bytes_in_words(3.25e9), "3.25 GB");
}

}  // namespace
}  // namespace muster::cli::bench
