#include "list_cache.h"

#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

namespace muster::sdk_core {
namespace {

namespace fs = std::filesystem;

class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "muster-cache-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() {
        fs::remove_all(path_);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string path() const {
        return path_.string();
    }
    [[nodiscard]] std::vector<fs::path> files() const {
        std::vector<fs::path> files;
        for (const auto& file : fs::directory_iterator(path_)) {
            files.push_back(file.path());
        }
        return files;
    }

private:
    fs::path path_;
};

client::ListSnapshot sample(std::uint64_t version, const std::string& zone = "a") {
    auto view = std::make_shared<ServiceView>();
    view->service = std::make_shared<const Service>(Service{.data_id = "orders"});
    view->version = Version(version);
    view->complete = true;
    auto publication = std::make_shared<Publication>();
    publication->id = RegistId("p-1");
    publication->service = view->service;
    publication->order = {.version = 3, .timestamp_ms = 17};
    publication->zone = zone;
    publication->boxes = {"10.0.0.7:80"};
    view->publications = {std::move(publication)};
    return {.key = {.service = *view->service, .zone = zone},
            .view = std::move(view),
            .as_of = {.unix_ms = 1'700'000'000'123}};
}

void expect_same(const client::ListSnapshot& a, const client::ListSnapshot& b) {
    EXPECT_EQ(a.key, b.key);
    EXPECT_EQ(a.as_of, b.as_of);
    EXPECT_EQ(a.view->version, b.view->version);
    EXPECT_EQ(a.view->complete, b.view->complete);
    ASSERT_EQ(a.view->publications.size(), b.view->publications.size());
    EXPECT_EQ(*a.view->publications[0], *b.view->publications[0]);
}

TEST(ListCache, GivesBackWhatWasSaved) {
    const Folder folder;
    const ListCache cache(folder.path() + "/made/when/missing");
    ASSERT_TRUE(cache.save(sample(5)));
    ASSERT_TRUE(cache.save(sample(6)));
    ASSERT_TRUE(cache.save(sample(4, "b")));
    auto loaded = cache.load();
    EXPECT_TRUE(loaded.problems.empty());
    ASSERT_EQ(loaded.lists.size(), 2U);
    std::ranges::sort(loaded.lists, {}, [](const auto& list) { return list.key.zone; });
    expect_same(loaded.lists[0], sample(6));
    expect_same(loaded.lists[1], sample(4, "b"));
}

TEST(ListCache, IsEmptyWhenTheFolderIsMissing) {
    const auto loaded = ListCache("/nonexistent/muster").load();
    EXPECT_TRUE(loaded.lists.empty());
    EXPECT_TRUE(loaded.problems.empty());
}

TEST(ListCache, SaysWhyAFolderCannotBeWritten) {
    const auto saved = ListCache("/proc/muster").save(sample(1));
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().code, Errc::io_error);
}

TEST(ListCache, RefusesEveryFlippedByte) {
    const std::string bytes = encode_cached_list(sample(5));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::string flipped = bytes;
        flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
        const auto list = decode_cached_list(flipped);
        ASSERT_FALSE(list) << "byte " << i;
        EXPECT_EQ(list.error().code, Errc::corrupt);
    }
}

TEST(ListCache, RefusesEveryCutFile) {
    const std::string bytes = encode_cached_list(sample(5));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode_cached_list(std::string_view(bytes).substr(0, size))) << size;
    }
}

TEST(ListCache, LeavesOutADamagedFileAndNamesIt) {
    const Folder folder;
    const ListCache cache(folder.path());
    ASSERT_TRUE(cache.save(sample(5)));
    const fs::path file = folder.files().at(0);
    ASSERT_TRUE(cache.save(sample(4, "b")));
    std::ofstream(file, std::ios::binary | std::ios::in | std::ios::ate) << "more";
    const auto loaded = cache.load();
    EXPECT_EQ(loaded.lists.size(), 1U);
    ASSERT_EQ(loaded.problems.size(), 1U);
    EXPECT_NE(loaded.problems[0].find(file.string()), std::string::npos);
}

}  // namespace
}  // namespace muster::sdk_core
