//! What the system tells about a folder. Only a hint: a look through it decides.

use notify::event::{ModifyKind, RenameMode};
use notify::{Event, EventKind, RecursiveMode, Watcher};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use tokio::sync::Notify;

/// Renames that are remembered between two looks; with more of them, files wait until nobody writes to them.
const MAX_RENAMED: usize = 65_536;

/// Hears what happens in a folder until it is dropped.
#[derive(Debug)]
pub struct Events {
    heard: Arc<Heard>,
    _watcher: notify::RecommendedWatcher,
}

#[derive(Debug, Default)]
struct Heard {
    renamed: Mutex<HashSet<PathBuf>>,
    happened: Notify,
}

impl Heard {
    fn hear(&self, event: &Event) {
        let is_rename = matches!(
            event.kind,
            EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both | RenameMode::Any))
        );
        // With both ends of a rename, the last path is the new name.
        if is_rename
            && let Some(path) = event.paths.last()
            && let Ok(mut renamed) = self.renamed.lock()
            && renamed.len() < MAX_RENAMED
        {
            renamed.insert(path.clone());
        }
        if !matches!(event.kind, EventKind::Access(_)) {
            self.happened.notify_one();
        }
    }
}

impl Events {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the system does not tell about this folder; looking through it from time to time still finds everything.
    pub fn of(folder: &Path) -> Result<Self, notify::Error> {
        let heard = Arc::new(Heard::default());
        let hearing = Arc::clone(&heard);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| match event {
            Ok(event) => hearing.hear(&event),
            // Events may have been lost.
            Err(_) => hearing.happened.notify_one(),
        })?;
        watcher.watch(folder, RecursiveMode::Recursive)?;
        Ok(Self { heard, _watcher: watcher })
    }

    /// Waits until something has happened since the last call.
    pub async fn happened(&self) {
        self.heard.happened.notified().await;
    }

    /// Paths that something was renamed to since the last call.
    #[must_use]
    pub fn renamed(&self) -> HashSet<PathBuf> {
        self.heard.renamed.lock().map(|mut renamed| std::mem::take(&mut *renamed)).unwrap_or_default()
    }
}
