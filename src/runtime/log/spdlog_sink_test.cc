#include "runtime/log/spdlog_sink.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace muster::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr WallTime kAt{.unix_ms = 1'700'000'000'007};

class LogSinkTest : public testing::Test {
protected:
    LogSinkTest() {
        std::string name = (fs::temp_directory_path() / "muster-log-XXXXXX").string();
        folder = ::mkdtemp(name.data());
    }
    ~LogSinkTest() override {
        fs::remove_all(folder);
    }
    static std::string content(const fs::path& file) {
        std::ifstream in(file);
        std::ostringstream all;
        all << in.rdbuf();
        return all.str();
    }

    fs::path folder;
};

TEST(LogLine, IsReadableAsText) {
    EXPECT_EQ(format_log_line(LogFormat::text, kAt, LogLevel::info, "net.listening",
                              {{"address", "127.0.0.1:9600"}, {"backlog", 4096}, {"tls", false}}),
              "2023-11-14T22:13:20.007Z info net.listening address=127.0.0.1:9600 backlog=4096 "
              "tls=false");
}

TEST(LogLine, LetsNoValueForgeALineOrAField) {
    EXPECT_EQ(format_log_line(LogFormat::text, kAt, LogLevel::error, "e",
                              {{"a", "x\n2023 error forged"}, {"b", "c=d"}, {"empty", ""}}),
              "2023-11-14T22:13:20.007Z error e a=\"x\\n2023 error forged\" b=\"c=d\" empty=\"\"");
}

TEST(LogLine, IsOneJsonObject) {
    EXPECT_EQ(
        format_log_line(LogFormat::json, kAt, LogLevel::warning, "session.push.timeout",
                        {{"service", "a\"b\\c"}, {"control", "\x01\x7f"}, {"good", "grüße 🙂"}}),
        "{\"time\":\"2023-11-14T22:13:20.007Z\",\"level\":\"warning\","
        "\"event\":\"session.push.timeout\",\"service\":\"a\\\"b\\\\c\","
        "\"control\":\"\\u0001\\u007f\",\"good\":\"grüße 🙂\"}");
}

TEST(LogLine, ReplacesWhatIsNotUtf8) {
    for (const std::string_view bad :
         {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82", "\xf5\x80\x80\x80", "\x80"}) {
        const std::string line =
            format_log_line(LogFormat::json, kAt, LogLevel::info, "e", {{"k", bad}});
        EXPECT_THAT(line, HasSubstr("\\ufffd"));
        for (const char c : line) {
            EXPECT_LT(static_cast<unsigned char>(c), 0x80U);
        }
    }
}

TEST_F(LogSinkTest, WritesLinesOfManyThreadsWhole) {
    const fs::path file = folder / "log";
    {
        const auto sink = SpdlogSink::open({.file = file.string(), .lines_max = 4000});
        ASSERT_TRUE(sink.has_value());
        const Log log(**sink, LogLevel::info);
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 500; ++i) {
                    log.info("thread.line", {{"thread", t}, {"braces", "{}"}});
                }
            });
        }
        for (auto& thread : threads) {
            thread.join();
        }
        log.debug("below.the.level");
    }
    std::ifstream in(file);
    std::string line;
    int lines = 0;
    while (std::getline(in, line)) {
        ++lines;
        EXPECT_THAT(line, HasSubstr(" info thread.line thread="));
        EXPECT_TRUE(line.ends_with("braces={}"));
    }
    EXPECT_EQ(lines, 2000);
}

TEST_F(LogSinkTest, WritesSoonAndNotOnlyWhenItGoes) {
    const auto sink = SpdlogSink::open({.file = (folder / "log").string()});
    ASSERT_TRUE(sink.has_value());
    (*sink)->write(LogLevel::info, "now", {});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (content(folder / "log").empty() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::yield();
    }
    EXPECT_THAT(content(folder / "log"), HasSubstr(" info now\n"));
}

TEST_F(LogSinkTest, DropsAndCountsLinesRatherThanHoldUpTheLogger) {
    ::signal(SIGPIPE, SIG_IGN);  // closing the file writes once more
    const std::string pipe = (folder / "pipe").string();
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_GE(reader, 0);
    {
        const auto sink = SpdlogSink::open(
            {.file = pipe, .file_bytes_max = std::size_t{1} << 40, .lines_max = 100});
        ASSERT_TRUE(sink.has_value());
        const std::string big(1000, 'x');
        for (int i = 0; i < 1000; ++i) {
            (*sink)->write(LogLevel::info, "stalled", {{"big", big}});  // the pipe takes about 64
        }
        EXPECT_GT((*sink)->dropped(), 500U);
        ::close(reader);  // the rest fails at once
    }
}

TEST_F(LogSinkTest, KeepsItsFilesUnderTheirCap) {
    {
        const auto sink = SpdlogSink::open({.format = LogFormat::json,
                                            .file = (folder / "log.json").string(),
                                            .file_bytes_max = 10'000,
                                            .files_max = 2});
        ASSERT_TRUE(sink.has_value());
        for (int i = 0; i < 2000; ++i) {
            (*sink)->write(LogLevel::info, "filling", {{"i", i}});
        }
    }
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        ++files;
        EXPECT_LE(entry.file_size(), 10'000U);
    }
    EXPECT_EQ(files, 3U) << "the current one and two old ones";
}

TEST_F(LogSinkTest, NamesALogFileThatCannotBeOpened) {
    std::ofstream(folder / "plain") << "x";
    const auto below_a_file = SpdlogSink::open({.file = (folder / "plain" / "log").string()});
    ASSERT_FALSE(below_a_file.has_value());
    EXPECT_EQ(below_a_file.error().code, Errc::io_error);
    EXPECT_THAT(below_a_file.error().detail, HasSubstr("plain/log"));
}

TEST(LogLevels, AreParsedOrNamed) {
    EXPECT_EQ(parse_log_level("warning"), LogLevel::warning);
    const auto bad = parse_log_level("loud");
    ASSERT_FALSE(bad.has_value());
    EXPECT_THAT(bad.error().detail, HasSubstr("debug, info, warning, error"));
}

}  // namespace
}  // namespace muster::runtime
