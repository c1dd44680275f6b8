#include "runtime/history/history_thread.h"

#include <filesystem>
#include <fstream>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "history/test_folder.h"

namespace muster::runtime {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using history::TestRecord;

class HistoryThreadTest : public testing::Test {
protected:
    HistoryThreadTest() {
        folder = fs::temp_directory_path() / ("muster-history-" + std::to_string(::getpid()));
        fs::remove_all(folder);
        options.folder = folder / "history";
        auto made = Loop::create();
        EXPECT_TRUE(made.has_value());
        loop = *std::move(made);
    }
    ~HistoryThreadTest() override {
        thread.reset();
        fs::remove_all(folder);
    }
    void start() {
        thread.reset();
        thread = std::make_unique<HistoryThread>(*loop, options, Log());
    }
    void note(std::uint64_t number) {
        const TestRecord record{.number = number};
        const Publication publication = record.publication();
        thread->note({.at = {record.at_ms},
                      .slot = SlotId(3),
                      .publication = publication,
                      .by = "session-1",
                      .version = record.version()});
    }
    Result<history::Answer> ask(std::uint32_t limit = 100) {
        std::optional<Result<history::Answer>> told;
        thread->find({.service = history::path_of("orders"), .limit = limit},
                     [&](Result<history::Answer> answer) {
                         told = std::move(answer);
                         loop->stop();
                     });
        loop->run();
        return *told;
    }
    std::size_t count() {
        const auto answer = ask(1000);
        return answer ? answer->records.size() : 0;
    }

    fs::path folder;
    HistoryOptions options;
    std::unique_ptr<Loop> loop;
    std::unique_ptr<HistoryThread> thread;
};

TEST_F(HistoryThreadTest, TellsWhatWasNotedBeforeItWasAsked) {
    start();
    note(1);
    note(2);
    const auto answer = ask();
    ASSERT_TRUE(answer.has_value());
    EXPECT_THAT(answer->records, testing::ElementsAre(TestRecord{.number = 2}.expected(),
                                                      TestRecord{.number = 1}.expected()));
    start();
    EXPECT_EQ(count(), 2U) << "in the next life";
}

TEST_F(HistoryThreadTest, WritesByItself) {
    options.write_interval = 10ms;
    start();
    note(1);
    const auto file = options.folder / "0000000000000001.history";
    auto timers = std::make_unique<LoopTimers>(*loop);
    struct Look final : env::TimerTarget {
        void on_timer(env::TimerKey key) override {
            if (fs::exists(file) && fs::file_size(file) > 0) {
                loop->stop();
            } else {
                timers->arm(key, 5ms);
            }
        }
        fs::path file;
        Loop* loop = nullptr;
        LoopTimers* timers = nullptr;
    } look;
    look.file = file;
    look.loop = loop.get();
    look.timers = timers.get();
    timers->bind(look);
    timers->arm(env::TimerKey{1}, 5ms);
    loop->run();
    EXPECT_GT(fs::file_size(file), 0U);
}

TEST_F(HistoryThreadTest, LosesWhatIsTooMuchAndSaysSo) {
    options.batch_bytes = 100;
    options.waiting_bytes_max = 1000;
    start();
    for (std::uint64_t number = 1; number <= 500; ++number) {
        note(number);  // nothing is taken from the thread before the loop runs
    }
    const auto answer = ask(1000);
    ASSERT_TRUE(answer.has_value());
    EXPECT_LT(answer->records.size(), 30U);
    ASSERT_EQ(answer->lost.size(), 1U);
    EXPECT_EQ(answer->lost[0].records + answer->records.size(), 500U);
}

TEST_F(HistoryThreadTest, GoesOnWhereNothingCanBeWritten) {
    fs::create_directories(folder);
    std::ofstream(options.folder) << "a file stands where the folder should";
    start();
    note(1);
    const auto answer = ask();
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->records.empty());
    ASSERT_EQ(answer->lost.size(), 1U);
    fs::remove(options.folder);
    note(2);
    EXPECT_EQ(count(), 1U);
}

TEST_F(HistoryThreadTest, AnswersBusyWhenEnoughAreAsked) {
    options.searches_max = 2;
    start();
    note(1);
    std::size_t found = 0;
    std::size_t busy = 0;
    for (int i = 0; i < 3; ++i) {
        thread->find({.service = history::path_of("orders")}, [&](Result<history::Answer> answer) {
            (answer ? found : busy) += 1;
            if (found + busy == 3) {
                loop->stop();
            }
        });
    }
    loop->run();
    EXPECT_EQ(found, 2U);
    EXPECT_EQ(busy, 1U);
    EXPECT_EQ(count(), 1U) << "and then answers again";
}

TEST(FileFolder, ReadsPartsAndKnowsWhatIsNotThere) {
    const fs::path path =
        fs::temp_directory_path() / ("muster-file-folder-" + std::to_string(::getpid()));
    fs::remove_all(path);
    FileFolder folder(path);
    EXPECT_TRUE(folder.list()->empty());
    EXPECT_EQ(folder.read("a", 0, 10).error().code, Errc::not_found);
    EXPECT_TRUE(folder.remove("a"));
    ASSERT_TRUE(folder.append("a", "one"));
    ASSERT_TRUE(folder.append("a", "two"));
    EXPECT_TRUE(folder.sync("a"));
    EXPECT_EQ(folder.read("a", 1, 3), "net");
    EXPECT_EQ(folder.read("a", 9, 3), "");
    ASSERT_EQ(folder.list()->size(), 1U);
    EXPECT_EQ(folder.list()->front().bytes, 6U);
    EXPECT_GT(folder.spare_bytes(), 0U);
    EXPECT_TRUE(folder.remove("a"));
    EXPECT_TRUE(folder.list()->empty());
    fs::remove_all(path);
}

}  // namespace
}  // namespace muster::runtime
